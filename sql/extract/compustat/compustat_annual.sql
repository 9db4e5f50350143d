-- Compustat annual fundamentals: the standard rows, with the day on which the last quarter's earnings were announced and
-- that of the first annual report. Both are looked up by company and fiscal year end; where there are several, the
-- first one counts, since from then on it was known.
SELECT f.gvkey,
       f.datadate,
       f.fyear,
       f.fyr,
       f.indfmt,
       f.consol,
       f.popsrc,
       f.datafmt,
       f.tic,
       f.cusip,
       f.conm,
       f.curcd,
       f.at,
       f.act,
       f.che,
       f.rect,
       f.invt,
       f.ppent,
       f.ppegt,
       f.intan,
       f.lt,
       f.lct,
       f.dlc,
       f.dltt,
       f.seq,
       f.ceq,
       f.pstk,
       f.pstkl,
       f.pstkrv,
       f.txditc,
       f.txdb,
       f.itcb,
       f.re,
       f.mib,
       f.sale,
       f.revt,
       f.cogs,
       f.gp,
       f.xsga,
       f.xrd,
       f.xint,
       f.pi,
       f.txt,
       f.ib,
       f.ni,
       f.dp,
       f.oibdp,
       f.oiadp,
       f.ebit,
       f.ebitda,
       f.capx,
       f.oancf,
       f.dvc,
       f.dvp,
       f.sstk,
       f.prstkc,
       f.csho,
       f.ajex,
       f.prcc_f,
       f.prcc_c,
       f.mkvalt,
       f.emp,
       f.sich,
       f.exchg,
       f.costat,
       f.fic,
       f.pdate,
       f.fdate,
       q.rdq,
       r.filedate
FROM comp.funda AS f
LEFT JOIN (
    SELECT gvkey, datadate, min(rdq) AS rdq
    FROM comp.fundq
    WHERE indfmt = 'INDL' AND datafmt = 'STD' AND popsrc = 'D' AND consol = 'C'
      AND datadate >= %(start)s
      AND datadate < %(end)s
    GROUP BY gvkey, datadate
) AS q ON q.gvkey = f.gvkey AND q.datadate = f.datadate
LEFT JOIN (
    SELECT gvkey, datadate, min(filedate) AS filedate
    FROM comp.co_filedate
    WHERE left(srctype, 3) = '10K' AND popsrc = 'D' AND consol = 'C'
      AND datadate >= %(start)s
      AND datadate < %(end)s
    GROUP BY gvkey, datadate
) AS r ON r.gvkey = f.gvkey AND r.datadate = f.datadate
WHERE f.indfmt = 'INDL' AND f.datafmt = 'STD' AND f.popsrc = 'D' AND f.consol = 'C'
  AND f.datadate >= %(start)s
  AND f.datadate < %(end)s
