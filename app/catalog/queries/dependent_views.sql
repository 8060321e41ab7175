-- Which views read these tables, directly or through other views?
WITH RECURSIVE seen AS (
  SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname || '.' || c.relname = ANY(%(relations)s)
  UNION
  SELECT w.ev_class FROM seen
  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = seen.oid
  JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
)
SELECT n.nspname || '.' || c.relname AS name
FROM seen
JOIN pg_catalog.pg_class c ON c.oid = seen.oid AND c.relkind IN ('v', 'm')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_'
ORDER BY 1
