-- Which statements does pg_stat_statements know for this database, the most expensive first?
SELECT s.userid::bigint AS user_oid, s.queryid AS query_id, s.query, s.calls, {total_ms} AS total_ms, {mean_ms} AS mean_ms,
       {max_ms} AS max_ms, {stddev_ms} AS stddev_ms, s.rows, s.shared_blks_hit AS shared_blocks_hit,
       s.shared_blks_read AS shared_blocks_read, {temp_written} AS temp_blocks_written, {wal_bytes}::bigint AS wal_bytes,
       {toplevel} AS toplevel, extract(epoch FROM {stats_since})::float8 AS stats_since
FROM {view} s
WHERE s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
ORDER BY 5 DESC
LIMIT %(limit)s
