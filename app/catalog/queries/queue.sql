-- Does one of our backends wait, and who waits for it? (Cheap: polled four times a second while a strong lock is wanted or held.)
WITH w AS MATERIALIZED (
  SELECT DISTINCT pid, min(waitstart) OVER (PARTITION BY pid) AS since FROM pg_catalog.pg_locks WHERE NOT granted
), v AS (
  SELECT w.pid, w.since FROM w WHERE w.pid <> %(pid)s AND %(pid)s = ANY(pg_catalog.pg_blocking_pids(w.pid))
)
SELECT EXISTS (SELECT 1 FROM w WHERE pid = %(pid)s) AS is_waiting,
       (SELECT extract(epoch FROM clock_timestamp() - since) FROM w WHERE pid = %(pid)s)::float8 AS waited_seconds,
       count(v.pid)::int AS victims,
       max(extract(epoch FROM clock_timestamp() - v.since))::float8 AS worst_wait_seconds,
       coalesce(sum(extract(epoch FROM clock_timestamp() - v.since)), 0)::float8 AS queue_seconds
FROM v
