-- How often was each index of these tables used, and how big is it?
-- An index that was built again (by ALTER TYPE, say) has a new number and counts from zero: the number tells.
SELECT n.nspname || '.' || i.relname AS name, n.nspname || '.' || t.relname AS relation, x.indexrelid::bigint AS counter,
       x.indisunique AS is_unique, x.indisvalid AND x.indisready AND x.indislive AS is_valid, p.pid IS NOT NULL AS is_building,
       EXISTS (SELECT 1 FROM pg_catalog.pg_constraint c WHERE c.conindid = x.indexrelid) AS serves_constraint,
       coalesce(s.idx_scan, 0) AS scans, (to_jsonb(s) ->> 'last_idx_scan')::timestamptz AS last_scan,
       CASE WHEN lk.relation IS NULL THEN pg_catalog.pg_relation_size(x.indexrelid) END AS bytes
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_stat_all_indexes s ON s.indexrelid = x.indexrelid
LEFT JOIN pg_catalog.pg_stat_progress_create_index p ON p.index_relid = x.indexrelid
LEFT JOIN (
  SELECT DISTINCT l.relation FROM pg_catalog.pg_locks l
  WHERE l.mode = 'AccessExclusiveLock' AND l.locktype = 'relation' AND l.pid <> pg_catalog.pg_backend_pid()
) lk ON lk.relation IN (x.indexrelid, x.indrelid)
WHERE n.nspname || '.' || t.relname = ANY(%(relations)s)
ORDER BY 1
