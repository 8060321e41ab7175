-- How big is each table and how much is it used?
-- The size of a table that another session holds exclusively would have to be waited for: there, what VACUUM last saw is taken.
WITH locked AS MATERIALIZED (
  SELECT DISTINCT l.relation FROM pg_catalog.pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
), extent AS (
  SELECT i.indrelid, sum(x.relpages)::bigint AS pages, bool_or(lx.relation IS NOT NULL) AS is_locked
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  LEFT JOIN locked lx ON lx.relation = x.oid
  GROUP BY 1
), sized AS MATERIALIZED (
  SELECT c.oid, c.relname, c.relnamespace, c.reltuples, c.relispartition,
         coalesce(CASE WHEN lk.relation IS NULL THEN pg_catalog.pg_table_size(c.oid) END,
                  c.relpages::bigint * current_setting('block_size')::bigint) AS table_bytes,
         coalesce(CASE WHEN lk.relation IS NULL AND NOT coalesce(e.is_locked, false) THEN pg_catalog.pg_indexes_size(c.oid) END,
                  e.pages * current_setting('block_size')::bigint, 0) AS indexes_bytes
  FROM pg_catalog.pg_class c
  LEFT JOIN locked lk ON lk.relation = c.oid
  LEFT JOIN extent e ON e.indrelid = c.oid
  WHERE c.relnamespace = ANY(%(schemas)s::oid[]) AND c.relkind IN ('r', 'p', 'm')
)
SELECT s.oid::bigint AS oid, n.nspname || '.' || s.relname AS name, nullif(s.reltuples, -1)::bigint AS estimated_rows,
       s.table_bytes, s.indexes_bytes, s.table_bytes + s.indexes_bytes AS total_bytes,
       CASE WHEN s.relispartition THEN (SELECT i.inhparent::bigint FROM pg_catalog.pg_inherits i WHERE i.inhrelid = s.oid) END AS parent_oid,
       pg_catalog.pg_stat_get_live_tuples(s.oid) AS live_rows, pg_catalog.pg_stat_get_dead_tuples(s.oid) AS dead_rows,
       pg_catalog.pg_stat_get_numscans(s.oid) AS sequential_scans,
       coalesce((SELECT sum(pg_catalog.pg_stat_get_numscans(i.indexrelid)) FROM pg_catalog.pg_index i WHERE i.indrelid = s.oid), 0)::bigint AS index_scans,
       pg_catalog.pg_stat_get_tuples_inserted(s.oid) AS rows_inserted, pg_catalog.pg_stat_get_tuples_updated(s.oid) AS rows_updated,
       pg_catalog.pg_stat_get_tuples_deleted(s.oid) AS rows_deleted
FROM sized s
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
ORDER BY 2
