-- Which tables and views have a column, a default, an index, a constraint, a trigger or a query that needs an extension?
WITH members AS (
  SELECT e.extname, m.classid, m.objid
  FROM pg_catalog.pg_depend m
  JOIN pg_catalog.pg_extension e ON e.oid = m.refobjid
  WHERE m.refclassid = 'pg_catalog.pg_extension'::regclass AND m.deptype = 'e'
), needed AS (
  SELECT extname, classid, objid FROM members
  UNION
  SELECT m.extname, m.classid, t.typarray FROM members m JOIN pg_catalog.pg_type t ON t.oid = m.objid
  WHERE m.classid = 'pg_catalog.pg_type'::regclass AND t.typarray <> 0
)
SELECT x.extname::text AS name, array_agg(DISTINCT n.nspname || '.' || c.relname) AS relations
FROM needed x
JOIN pg_catalog.pg_depend d ON d.refclassid = x.classid AND d.refobjid = x.objid AND d.deptype <> 'e'
LEFT JOIN pg_catalog.pg_attrdef a ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND a.oid = d.objid
LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid
LEFT JOIN pg_catalog.pg_trigger g ON d.classid = 'pg_catalog.pg_trigger'::regclass AND g.oid = d.objid
LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
LEFT JOIN pg_catalog.pg_index i ON d.classid = 'pg_catalog.pg_class'::regclass AND i.indexrelid = d.objid
JOIN pg_catalog.pg_class c
  ON c.oid = coalesce(a.adrelid, nullif(k.conrelid, 0), g.tgrelid, w.ev_class, i.indrelid,
                      CASE WHEN d.classid = 'pg_catalog.pg_class'::regclass THEN d.objid END)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relnamespace = ANY(%(schemas)s::oid[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
GROUP BY 1
ORDER BY 1
