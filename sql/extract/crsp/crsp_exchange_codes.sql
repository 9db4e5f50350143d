-- The codes of where and how a security trades, from CRSP's own dictionary, which says for each column what kind of
-- code it holds and for each kind what its values mean.
SELECT i.itemname,
       f.flagvalue,
       f.flagtype,
       f.flagdesc,
       f.flagdef
FROM crsp.metaflaginfo AS f
JOIN crsp.metaiteminfo AS i ON i.itemflagtype = f.flagtype
WHERE lower(i.itemname) IN ('primaryexch', 'exchangetier', 'conditionaltype', 'tradingstatusflg')
