-- What is autovacuum at work on? (One that prevents wraparound does not give way to our DDL.)
SELECT a.pid, n.nspname || '.' || c.relname AS relation, p.phase, p.heap_blks_total AS blocks_total, p.heap_blks_scanned AS blocks_scanned,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS running_seconds,
       coalesce(a.query LIKE '%%(to prevent wraparound)%%', false) AS prevents_wraparound, l.mode AS lock_mode
FROM pg_catalog.pg_stat_activity a
LEFT JOIN pg_catalog.pg_stat_progress_vacuum p USING (pid)
LEFT JOIN pg_catalog.pg_locks l ON l.pid = a.pid AND l.relation = p.relid AND l.granted AND l.locktype = 'relation'
LEFT JOIN pg_catalog.pg_class c ON c.oid = p.relid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.backend_type = 'autovacuum worker' AND a.datname = current_database()
