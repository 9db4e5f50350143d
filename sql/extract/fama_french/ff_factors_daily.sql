-- The daily factors as WRDS keeps them, already in decimals, for when Ken French's own site is not reachable.
-- The five-factor table's smb is another series than the three-factor table's.
SELECT date,
       t.mktrf,
       t.smb,
       t.hml,
       t.rf,
       t.umd,
       f.smb AS smb_ff5,
       f.rmw,
       f.cma
FROM ff.factors_daily AS t
FULL JOIN ff.fivefactors_daily AS f USING (date)
