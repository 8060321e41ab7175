-- Which indexes does each table have, what do they cover, and are they valid?
-- Sizes are those of the last VACUUM or ANALYZE: pg_relation_size() would wait for a table that is being altered.
WITH used AS (
  SELECT d.objid, array_agg(DISTINCT d.refobjsubid::int) AS attnums
  FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_index x ON x.indexrelid = d.objid AND x.indrelid = d.refobjid
  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0
  GROUP BY d.objid
)
SELECT x.indrelid::bigint AS relation_oid, n.nspname || '.' || i.relname AS name,
       pg_catalog.pg_get_indexdef(x.indexrelid) AS definition, x.indkey::int2[] AS attnums, x.indnkeyatts AS key_count,
       am.amname::text AS method, x.indisunique AS is_unique, x.indisprimary AS is_primary,
       x.indisvalid AND x.indisready AND x.indislive AS is_valid, x.indisreplident AS is_replica_identity,
       pg_catalog.pg_get_expr(x.indpred, x.indrelid) AS predicate, con.conname::text AS constraint_name,
       used.attnums AS used, i.relpages::bigint * current_setting('block_size')::bigint AS size_bytes,
       coalesce(pg_catalog.pg_stat_get_numscans(x.indexrelid), 0) AS scans
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
JOIN pg_catalog.pg_am am ON am.oid = i.relam
LEFT JOIN pg_catalog.pg_constraint con ON con.conindid = x.indexrelid AND con.conrelid = x.indrelid AND con.contype IN ('p', 'u', 'x')
LEFT JOIN used ON used.objid = x.indexrelid
WHERE c.relnamespace = ANY(%(schemas)s::oid[])
ORDER BY 1, 2
