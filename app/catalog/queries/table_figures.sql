-- What do the counters say about these tables, and how big are they? (The size of a table that is being altered is not asked for.)
SELECT n.nspname || '.' || c.relname AS name, greatest(c.reltuples, 0)::float8 AS estimated_rows, s.n_live_tup AS live_rows,
       s.n_dead_tup AS dead_rows, s.seq_scan AS sequential_scans, s.seq_tup_read AS sequential_rows, coalesce(s.idx_scan, 0) AS index_scans,
       s.n_tup_ins AS rows_inserted, s.n_tup_upd AS rows_updated, s.n_tup_del AS rows_deleted, s.n_tup_hot_upd AS rows_updated_hot,
       io.heap_blks_read AS blocks_read, io.heap_blks_hit AS blocks_hit,
       greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum, greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze,
       age(c.relfrozenxid)::bigint AS xid_age,
       CASE WHEN lk.relation IS NULL THEN pg_catalog.pg_table_size(c.oid) END AS table_bytes,
       CASE WHEN lk.relation IS NULL THEN pg_catalog.pg_indexes_size(c.oid) END AS indexes_bytes,
       current_setting('autovacuum_vacuum_threshold')::float8
         + current_setting('autovacuum_vacuum_scale_factor')::float8 * greatest(c.reltuples, 0) AS vacuum_at_dead_rows
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
JOIN pg_catalog.pg_statio_all_tables io ON io.relid = c.oid
LEFT JOIN (
  SELECT DISTINCT l.relation FROM pg_catalog.pg_locks l
  WHERE l.mode = 'AccessExclusiveLock' AND l.locktype = 'relation' AND l.pid <> pg_catalog.pg_backend_pid()
) lk ON lk.relation = c.oid
WHERE n.nspname || '.' || c.relname = ANY(%(relations)s)
ORDER BY 1
