-- How far is the statement that this backend runs, as far as PostgreSQL counts? (to_jsonb: the columns differ by version.)
SELECT p.source, to_jsonb(p.row) AS row, n.nspname || '.' || c.relname AS relation, greatest(c.reltuples, 0)::float8 AS estimated_rows,
       extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS running_seconds
FROM (
  SELECT 'pg_stat_progress_create_index' AS source, i.pid, i.relid, to_jsonb(i) AS row FROM pg_catalog.pg_stat_progress_create_index i
  UNION ALL SELECT 'pg_stat_progress_cluster', i.pid, i.relid, to_jsonb(i) FROM pg_catalog.pg_stat_progress_cluster i
  UNION ALL SELECT 'pg_stat_progress_vacuum', i.pid, i.relid, to_jsonb(i) FROM pg_catalog.pg_stat_progress_vacuum i
  UNION ALL SELECT 'pg_stat_progress_analyze', i.pid, i.relid, to_jsonb(i) FROM pg_catalog.pg_stat_progress_analyze i
  UNION ALL SELECT 'pg_stat_progress_copy', i.pid, i.relid, to_jsonb(i) FROM pg_catalog.pg_stat_progress_copy i
) p
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid
LEFT JOIN pg_catalog.pg_class c ON c.oid = p.relid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE p.pid = %(pid)s
