-- CRSP daily stock file, SIZ format (until 2024), in the columns of crsp_daily.
-- Said otherwise, not changed: a negative price is a bid/ask midpoint and becomes a price with the flag BA, 0 is none;
-- a return below -1 is a code and becomes a missing return with that code as its flag; a negative volume is missing.
-- The capitalisation is CRSP's own definition of it. What SIZ has no word for is null. Share codes 10 and 11 are the
-- CIZ classes that CRSP names for them; of other codes no class is made up.
SELECT d.permno,
       d.date,
       d.permco,
       n.ticker,
       n.ncusip                                                               AS cusip,
       n.siccd,
       abs(nullif(d.prc, 0))                                                  AS prc,
       CASE WHEN d.prc > 0 THEN 'TR' WHEN d.prc < 0 THEN 'BA' ELSE 'MP' END   AS dlyprcflg,
       CASE WHEN d.ret >= -1 THEN d.ret END                                   AS ret,
       CASE WHEN d.retx >= -1 THEN d.retx END                                 AS retx,
       CASE WHEN d.ret < -1 THEN d.ret::integer::text END                     AS dlyretmissflg,
       CASE WHEN d.vol >= 0 THEN d.vol END                                    AS vol,
       d.bid,
       d.ask,
       d.openprc,
       CASE WHEN d.prc > 0 THEN d.prc END                                     AS dlyclose,
       abs(nullif(d.bidlo, 0))                                                AS bidlo,
       abs(nullif(d.askhi, 0))                                                AS askhi,
       d.numtrd,
       abs(nullif(d.prc, 0)) * d.shrout                                       AS dlycap,
       NULL::numeric                                                          AS dlyprevprc,
       NULL::text                                                             AS dlydelflg,
       NULL::numeric                                                          AS dlyorddivamt,
       NULL::numeric                                                          AS dlynonorddivamt,
       NULL::numeric                                                          AS dlyfacprc,
       d.cfacpr,
       d.cfacshr,
       d.shrout,
       CASE WHEN n.shrcd IN (10, 11) THEN 'NS' END                            AS sharetype,
       CASE WHEN n.shrcd IN (10, 11) THEN 'EQTY' END                          AS securitytype,
       CASE WHEN n.shrcd IN (10, 11) THEN 'COM' END                           AS securitysubtype,
       CASE WHEN n.shrcd IN (10, 11) THEN 'Y' END                             AS usincflg,
       CASE WHEN n.shrcd IN (10, 11) THEN 'CORP' END                          AS issuertype,
       n.primexch                                                             AS primaryexch,
       CASE WHEN n.secstat = 'R' THEN 'RW' END                                AS conditionaltype,
       n.trdstat                                                              AS tradingstatusflg
FROM crsp.dsf AS d
LEFT JOIN crsp.dsenames AS n ON n.permno = d.permno AND d.date BETWEEN n.namedt AND n.nameendt
WHERE d.date >= %(start)s
  AND d.date < %(end)s
