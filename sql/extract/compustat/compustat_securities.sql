-- Compustat securities: as they are today.
SELECT gvkey,
       iid,
       tic,
       cusip,
       isin,
       sedol,
       ibtic,
       dsci,
       excntry,
       exchg,
       epf,
       secstat,
       dldtei,
       dlrsni,
       tpci
FROM comp.security
