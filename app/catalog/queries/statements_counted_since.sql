-- Since when does pg_stat_statements count, by the server's own clock?
SELECT extract(epoch FROM clock_timestamp())::float8 AS now, extract(epoch FROM i.stats_reset)::float8 AS since
FROM {info} i
