-- Since when does pg_stat_statements count, how often did it throw rare statements away, and how full is it?
SELECT i.stats_reset, i.dealloc AS evictions, current_setting('pg_stat_statements.max')::bigint AS max_entries,
       (SELECT count(*) FROM {view}) AS entries
FROM {info} i
