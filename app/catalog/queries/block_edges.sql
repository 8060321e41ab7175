-- Which backend waits for which, for what, since when?
-- Edges only: a recursive query over pg_blocking_pids() takes seconds with 40 waiters, since waiters block each other too.
WITH w AS MATERIALIZED (
  SELECT DISTINCT ON (l.pid) l.* FROM pg_catalog.pg_locks l WHERE NOT l.granted ORDER BY l.pid, l.waitstart
), e AS MATERIALIZED (
  SELECT DISTINCT w.pid AS waiter, b.pid AS blocker FROM w, unnest(pg_catalog.pg_blocking_pids(w.pid)) b(pid)
), g AS MATERIALIZED (
  SELECT * FROM pg_catalog.pg_locks WHERE granted
)
SELECT e.waiter AS waiter_pid, e.blocker AS blocker_pid, w.locktype, w.mode AS wanted_mode, n.nspname || '.' || c.relname AS relation,
       extract(epoch FROM clock_timestamp() - w.waitstart)::float8 AS wait_seconds,
       h.held_modes, h.held_modes IS NULL AS queued_only,
       a.application_name AS blocker_application, a.usename::text AS blocker_user, a.backend_type AS blocker_type,
       a.backend_start AS blocker_start, a.state AS blocker_state, extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS blocker_transaction_seconds,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS blocker_state_seconds,
       a.wait_event_type || ':' || a.wait_event AS blocker_wait, left(a.query, 300) AS blocker_query,
       v.application_name AS waiter_application, left(v.query, 300) AS waiter_query
FROM e
JOIN w ON w.pid = e.waiter
LEFT JOIN LATERAL (
  SELECT array_agg(DISTINCT g.mode) AS held_modes FROM g
  WHERE coalesce(g.pid, 0) = e.blocker AND g.locktype = w.locktype
    AND (g.database, g.relation, g.page, g.tuple, g.virtualxid, g.transactionid, g.classid, g.objid, g.objsubid)
        IS NOT DISTINCT FROM (w.database, w.relation, w.page, w.tuple, w.virtualxid, w.transactionid, w.classid, w.objid, w.objsubid)
) h ON true
LEFT JOIN pg_catalog.pg_class c
       ON c.oid = w.relation AND w.database IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = e.blocker
LEFT JOIN pg_catalog.pg_stat_activity v ON v.pid = e.waiter
