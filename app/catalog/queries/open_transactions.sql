-- Which transactions have been open for longer than that, what do they lock, and whose snapshots are kept?
-- Relations of PostgreSQL itself are left out; how many sessions hide their transaction from this role is in every row.
WITH a AS MATERIALIZED (
  SELECT s.* FROM pg_catalog.pg_stat_activity s
  WHERE s.datname = current_database() AND s.pid <> pg_catalog.pg_backend_pid() AND s.backend_type IS DISTINCT FROM 'autovacuum worker'
), old AS MATERIALIZED (
  SELECT * FROM a WHERE a.xact_start < clock_timestamp() - make_interval(secs => %(seconds)s)
), held AS MATERIALIZED (
  SELECT l.pid, n.nspname || '.' || c.relname AS name, array_agg(DISTINCT l.mode ORDER BY l.mode) AS modes
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_class c ON c.oid = l.relation
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE l.granted AND l.locktype = 'relation' AND l.pid IN (SELECT pid FROM old) AND n.nspname !~ '^pg_'
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  GROUP BY 1, 2
)
SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"') AS at,
       (SELECT count(*) FROM a WHERE a.backend_type IS NULL OR a.query = '<insufficient privilege>') AS hidden,
       o.pid, o.backend_type, o.application_name AS application, o.usename::text AS "user", o.state,
       o.wait_event_type || ':' || o.wait_event AS wait,
       extract(epoch FROM clock_timestamp() - o.xact_start)::float8 AS transaction_seconds,
       extract(epoch FROM clock_timestamp() - o.state_change)::float8 AS state_seconds,
       left(o.query, 300) AS query, o.backend_xmin IS NOT NULL AS keeps_snapshot,
       (SELECT jsonb_object_agg(h.name, h.modes) FROM held h WHERE h.pid = o.pid) AS locks
FROM (SELECT 1) one LEFT JOIN old o ON true
ORDER BY o.xact_start, o.pid
