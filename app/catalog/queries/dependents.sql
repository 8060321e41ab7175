-- What would break or go when a relation, or one of its columns, goes?
-- Functions appear where PostgreSQL knows (SQL bodies, row types); the text of a PL/pgSQL body is not tracked by it.
WITH uses AS (
  SELECT d.refobjid AS relation, d.refobjsubid AS attnum,
         CASE v.relkind WHEN 'm' THEN 'materialized view' WHEN 'v' THEN 'view' ELSE 'rule' END AS kind,
         vn.nspname || '.' || v.relname AS name
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
  JOIN pg_catalog.pg_class v ON v.oid = w.ev_class
  JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
  WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> w.ev_class
  UNION ALL
  SELECT d.refobjid, d.refobjsubid, CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
         pn.nspname || '.' || p.proname || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')'
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
  JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
  WHERE d.refclassid = 'pg_catalog.pg_class'::regclass
  UNION ALL
  SELECT t.typrelid, 0, CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
         pn.nspname || '.' || p.proname || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')'
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
  JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
  JOIN pg_catalog.pg_type e ON d.refclassid = 'pg_catalog.pg_type'::regclass AND e.oid = d.refobjid
  JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN e.typelem <> 0 AND e.typrelid = 0 THEN e.typelem ELSE e.oid END AND t.typrelid <> 0
  UNION ALL
  SELECT c.confrelid, k, 'foreign key', rn.nspname || '.' || r.relname || '.' || c.conname
  FROM pg_catalog.pg_constraint c
  CROSS JOIN unnest(c.confkey) k
  JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
  JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
  WHERE c.contype = 'f' AND c.conrelid <> c.confrelid
  UNION ALL
  SELECT d.refobjid, d.refobjsubid, 'policy', rn.nspname || '.' || r.relname || '.' || p.polname
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_policy p ON d.classid = 'pg_catalog.pg_policy'::regclass AND p.oid = d.objid
  JOIN pg_catalog.pg_class r ON r.oid = p.polrelid
  JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
  WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> p.polrelid
)
SELECT u.relation::bigint AS relation_oid, u.kind, u.name,
       coalesce(array_agg(DISTINCT a.attname::text) FILTER (WHERE a.attname IS NOT NULL), '{}') AS columns
FROM uses u
JOIN pg_catalog.pg_class c ON c.oid = u.relation
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = u.relation AND a.attnum = u.attnum AND u.attnum > 0
WHERE c.relnamespace = ANY(%(schemas)s::oid[])
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
