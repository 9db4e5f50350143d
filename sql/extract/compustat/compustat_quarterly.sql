-- Compustat quarterly fundamentals: the standard rows, with the day of the first report for each date. Two rows of one
-- fiscal quarter, as after a change of the fiscal year, are both kept.
SELECT f.gvkey,
       f.datadate,
       f.fyearq,
       f.fqtr,
       f.fyr,
       f.indfmt,
       f.consol,
       f.popsrc,
       f.datafmt,
       f.tic,
       f.cusip,
       f.conm,
       f.curcdq,
       f.datacqtr,
       f.datafqtr,
       f.rdq,
       f.atq,
       f.actq,
       f.cheq,
       f.rectq,
       f.invtq,
       f.ppentq,
       f.intanq,
       f.ltq,
       f.lctq,
       f.dlcq,
       f.dlttq,
       f.seqq,
       f.ceqq,
       f.pstkq,
       f.txditcq,
       f.req,
       f.mibq,
       f.saleq,
       f.revtq,
       f.cogsq,
       f.xsgaq,
       f.xrdq,
       f.xintq,
       f.piq,
       f.txtq,
       f.ibq,
       f.niq,
       f.dpq,
       f.oibdpq,
       f.oiadpq,
       f.epspxq,
       f.epsfxq,
       f.cshoq,
       f.ajexq,
       f.prccq,
       f.mkvaltq,
       f.capxy,
       f.oancfy,
       f.exchg,
       f.costat,
       f.fic,
       f.pdateq,
       f.fdateq,
       r.filedate
FROM comp.fundq AS f
LEFT JOIN (
    SELECT gvkey, datadate, min(filedate) AS filedate
    FROM comp.co_filedate
    WHERE left(srctype, 3) IN ('10K', '10Q') AND popsrc = 'D' AND consol = 'C'
      AND datadate >= %(start)s
      AND datadate < %(end)s
    GROUP BY gvkey, datadate
) AS r ON r.gvkey = f.gvkey AND r.datadate = f.datadate
WHERE f.indfmt = 'INDL' AND f.datafmt = 'STD' AND f.popsrc = 'D' AND f.consol = 'C'
  AND f.datadate >= %(start)s
  AND f.datadate < %(end)s
