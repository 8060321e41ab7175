-- Since when do the counters count? A crash zeroes those of tables while their own reset time stays (15+); bgwriter and WAL tell.
SELECT clock_timestamp() AS taken_at, current_setting('server_version_num')::int AS version_num,
       pg_catalog.pg_postmaster_start_time() AS server_started,
       (SELECT stats_reset FROM pg_catalog.pg_stat_bgwriter) AS background_reset,
       (SELECT stats_reset FROM pg_catalog.pg_stat_wal) AS wal_reset,
       (SELECT stats_reset FROM pg_catalog.pg_stat_database WHERE datname = current_database()) AS database_reset,
       (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) AS system_identifier,
       (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()) AS timeline,
       (SELECT oid::bigint FROM pg_catalog.pg_database WHERE datname = current_database()) AS database_oid
