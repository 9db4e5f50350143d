-- The monthly factors as WRDS keeps them, already in decimals, for when Ken French's own site is not reachable.
-- WRDS dates a month on its first day; here it is the last calendar day, as from the site.
SELECT (date_trunc('month', date) + interval '1 month' - interval '1 day')::date AS date,
       t.mktrf,
       t.smb,
       t.hml,
       t.rf,
       t.umd,
       f.smb AS smb_ff5,
       f.rmw,
       f.cma
FROM ff.factors_monthly AS t
FULL JOIN ff.fivefactors_monthly AS f USING (date)
