-- Which sessions and prepared transactions of a run are still there? (Their names begin as the run's steps are named.)
SELECT 'session ' || a.pid || ' (' || a.application_name || ', ' || coalesce(a.state, 'unknown')
       || CASE WHEN held.modes IS NULL THEN '' ELSE ', holds ' || held.modes END || ')' AS what
FROM pg_catalog.pg_stat_activity a
LEFT JOIN LATERAL (
  SELECT string_agg(DISTINCT n.nspname || '.' || c.relname || ' ' || l.mode, ', ') AS modes
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_class c ON c.oid = l.relation
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE l.pid = a.pid AND l.granted AND n.nspname <> 'pg_catalog'
) held ON true
WHERE a.datname = current_database() AND a.pid <> pg_catalog.pg_backend_pid() AND starts_with(a.application_name, %(name)s)
UNION ALL
SELECT 'prepared transaction ' || p.gid FROM pg_catalog.pg_prepared_xacts p
WHERE p.database = current_database() AND starts_with(p.gid, 'headgate')
ORDER BY 1
