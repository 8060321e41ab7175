-- Which statistics over several columns did people make?
SELECT s.stxrelid::bigint AS relation_oid, n.nspname || '.' || s.stxname AS name,
       pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition,
       ARRAY(SELECT DISTINCT d.refobjsubid::int FROM pg_catalog.pg_depend d
             WHERE d.classid = 'pg_catalog.pg_statistic_ext'::regclass AND d.objid = s.oid
               AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0 ORDER BY 1) AS used
FROM pg_catalog.pg_statistic_ext s
JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid
WHERE c.relnamespace = ANY(%(schemas)s::oid[])
ORDER BY 1, 2
