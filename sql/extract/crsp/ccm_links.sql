-- The CRSP/Compustat link history, every link of it.
SELECT gvkey,
       linkdt,
       linkenddt,
       liid,
       linkprim,
       linktype,
       lpermno,
       lpermco
FROM crsp.ccmxpf_lnkhist
