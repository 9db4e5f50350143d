-- CRSP monthly stock file, CIZ format: the published columns in the order of the catalog.
-- The date is the month's last session, as CRSP has it, also where the price is of an earlier day.
SELECT permno,
       mthcaldt     AS date,
       yyyymm,
       permco,
       ticker,
       cusip,
       siccd,
       mthprc       AS prc,
       mthprcflg,
       mthprcdt,
       mthret       AS ret,
       mthretx      AS retx,
       mthretflg,
       mthvol       AS vol,
       mthcap,
       mthprevprc,
       mthdelflg,
       mthcumfacpr  AS cfacpr,
       mthcumfacshr AS cfacshr,
       shrout,
       sharetype,
       securitytype,
       securitysubtype,
       usincflg,
       issuertype,
       primaryexch,
       conditionaltype,
       tradingstatusflg
FROM crsp.msf_v2
WHERE mthcaldt >= %(start)s
  AND mthcaldt < %(end)s
