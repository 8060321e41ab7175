-- How is the server, seen from this database? (A role without pg_read_all_stats is told of sessions, but not what they do.)
WITH a AS MATERIALIZED (
  SELECT * FROM pg_catalog.pg_stat_activity WHERE pid <> pg_catalog.pg_backend_pid()
), c AS MATERIALIZED (
  SELECT * FROM a WHERE backend_type = 'client backend'
)
SELECT clock_timestamp() AS at,
       (SELECT count(*) FROM c) AS connections,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0) AS connections_usable,
       (SELECT count(*) FROM c WHERE state = 'active') AS active,
       (SELECT count(*) FROM c WHERE state LIKE 'idle in transaction%%') AS idle_in_transaction,
       (SELECT count(DISTINCT pid) FROM pg_catalog.pg_locks WHERE NOT granted) AS lock_waiters,
       (SELECT count(*) FROM a WHERE backend_type IS NULL OR query = '<insufficient privilege>') AS hidden_by_privilege,
       (SELECT extract(epoch FROM clock_timestamp() - min(xact_start))::float8 FROM c) AS oldest_transaction_seconds,
       (SELECT extract(epoch FROM clock_timestamp() - min(state_change))::float8 FROM c WHERE state LIKE 'idle in transaction%%')
         AS longest_idle_in_transaction_seconds,
       (SELECT extract(epoch FROM clock_timestamp() - min(query_start))::float8 FROM c WHERE state = 'active') AS longest_query_seconds,
       (SELECT max(greatest(age(backend_xmin), age(backend_xid))) FROM a) AS xmin_age_backends,
       (SELECT max(greatest(age(xmin), age(catalog_xmin))) FROM pg_catalog.pg_replication_slots) AS xmin_age_slots,
       (SELECT max(age(transaction)) FROM pg_catalog.pg_prepared_xacts) AS xid_age_prepared,
       (SELECT extract(epoch FROM clock_timestamp() - min(prepared))::float8 FROM pg_catalog.pg_prepared_xacts) AS oldest_prepared_seconds,
       (SELECT count(*) FROM a WHERE backend_type = 'autovacuum worker') AS autovacuum_workers,
       (SELECT max(age(datfrozenxid)) FROM pg_catalog.pg_database) AS xid_age,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL
            ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0') END::float8 AS wal_position,
       (SELECT count(*) FROM pg_catalog.pg_stat_replication) AS replicas,
       (SELECT count(*) FROM pg_catalog.pg_stat_replication WHERE state = 'streaming' AND replay_lsn IS NULL OR state IS NULL) AS replicas_unknown,
       (SELECT max(pg_catalog.pg_wal_lsn_diff(
                 CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_receive_lsn() ELSE pg_catalog.pg_current_wal_lsn() END,
                 replay_lsn))::bigint FROM pg_catalog.pg_stat_replication) AS replica_lag_bytes,
       (SELECT max(extract(epoch FROM replay_lag))::float8 FROM pg_catalog.pg_stat_replication) AS replica_lag_seconds,
       d.xact_commit, d.xact_rollback, d.deadlocks, d.temp_bytes, d.blks_read, d.blks_hit, d.conflicts, d.tup_inserted, d.tup_updated,
       d.tup_deleted, d.sessions_fatal, d.sessions_killed, d.sessions_abandoned
FROM pg_catalog.pg_stat_database d
WHERE d.datname = current_database()
