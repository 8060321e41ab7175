-- Which domains are there, and which tables use them?
SELECT t.oid::bigint AS oid, n.nspname || '.' || t.typname AS name, pg_catalog.format_type(t.typbasetype, t.typtypmod) AS base_type,
       t.typnotnull AS not_null, t.typdefault AS "default",
       ARRAY(SELECT DISTINCT cn.nspname || '.' || c.relname
             FROM pg_catalog.pg_attribute a
             JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm', 'f')
             JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
             WHERE a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped ORDER BY 1) AS used_by
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'd' AND t.typnamespace = ANY(%(schemas)s::oid[])
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
ORDER BY 2
