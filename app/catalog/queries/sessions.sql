-- Which sessions hold or want locks on these relations, or have a transaction open for long?
WITH rels AS MATERIALIZED (
  SELECT c.oid, n.nspname || '.' || c.relname AS name
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname || '.' || c.relname = ANY(%(relations)s)
), held AS MATERIALIZED (
  SELECT l.pid, r.name, array_agg(DISTINCT l.mode ORDER BY l.mode) FILTER (WHERE l.granted) AS modes
  FROM pg_catalog.pg_locks l JOIN rels r ON r.oid = l.relation
  WHERE l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  GROUP BY l.pid, r.name
)
SELECT a.pid, a.backend_type, a.application_name AS application, a.usename::text AS "user", a.client_addr::text AS client, a.state,
       a.wait_event_type || ':' || a.wait_event AS wait,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_seconds,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS state_seconds,
       left(a.query, 300) AS query,
       (SELECT jsonb_object_agg(h.name, h.modes) FROM held h WHERE h.pid = a.pid AND h.modes IS NOT NULL) AS locks
FROM pg_catalog.pg_stat_activity a
WHERE a.pid <> pg_catalog.pg_backend_pid() AND a.datname = current_database()
  AND (a.xact_start < clock_timestamp() - make_interval(secs => %(seconds)s) OR a.pid IN (SELECT pid FROM held))
ORDER BY a.xact_start NULLS LAST, a.pid
