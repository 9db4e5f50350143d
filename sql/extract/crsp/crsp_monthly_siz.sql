-- CRSP monthly stock file, SIZ format (until 2024), in the columns of crsp_monthly; as crsp_daily_siz.sql says it.
-- SIZ counts a month's volume in hundreds of shares. A security that was delisted within the month is described as it
-- last was.
SELECT m.permno,
       m.date,
       (extract(year FROM m.date) * 100 + extract(month FROM m.date))::integer AS yyyymm,
       m.permco,
       n.ticker,
       n.ncusip                                                                AS cusip,
       n.siccd,
       abs(nullif(m.prc, 0))                                                   AS prc,
       CASE WHEN m.prc > 0 THEN 'TR' WHEN m.prc < 0 THEN 'BA' ELSE 'MP' END    AS mthprcflg,
       NULL::date                                                              AS mthprcdt,
       CASE WHEN m.ret >= -1 THEN m.ret END                                    AS ret,
       CASE WHEN m.retx >= -1 THEN m.retx END                                  AS retx,
       CASE WHEN m.ret < -1 THEN m.ret::integer::text END                      AS mthretflg,
       CASE WHEN m.vol >= 0 THEN m.vol * 100 END                               AS vol,
       abs(nullif(m.prc, 0)) * m.shrout                                        AS mthcap,
       NULL::numeric                                                           AS mthprevprc,
       NULL::text                                                              AS mthdelflg,
       m.cfacpr,
       m.cfacshr,
       m.shrout,
       CASE WHEN n.shrcd IN (10, 11) THEN 'NS' END                             AS sharetype,
       CASE WHEN n.shrcd IN (10, 11) THEN 'EQTY' END                           AS securitytype,
       CASE WHEN n.shrcd IN (10, 11) THEN 'COM' END                            AS securitysubtype,
       CASE WHEN n.shrcd IN (10, 11) THEN 'Y' END                              AS usincflg,
       CASE WHEN n.shrcd IN (10, 11) THEN 'CORP' END                           AS issuertype,
       n.primexch                                                              AS primaryexch,
       CASE WHEN n.secstat = 'R' THEN 'RW' END                                 AS conditionaltype,
       n.trdstat                                                               AS tradingstatusflg
FROM crsp.msf AS m
LEFT JOIN (
    SELECT *, lead(namedt) OVER (PARTITION BY permno ORDER BY namedt) AS nextdt
    FROM crsp.dsenames
) AS n ON n.permno = m.permno AND m.date >= n.namedt AND (m.date < n.nextdt OR n.nextdt IS NULL)
WHERE m.date >= %(start)s
  AND m.date < %(end)s
