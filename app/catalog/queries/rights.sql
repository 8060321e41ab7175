-- What is this server, and what may the connecting role do in this database?
SELECT current_setting('server_version') AS server_version, current_setting('server_version_num')::int AS version_num,
       pg_catalog.pg_is_in_recovery() AS is_standby, pg_catalog.pg_database_size(current_database()) AS database_bytes,
       current_database()::text AS database, current_user::text AS role, r.rolsuper AS is_superuser,
       r.rolsuper OR r.rolcreatedb AS can_create_database,
       pg_catalog.has_database_privilege(current_database(), 'CREATE') AS can_create_schema,
       (SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public') AS can_create_in_public,
       (SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        FROM pg_catalog.pg_namespace n WHERE n.nspname = %(own)s) AS can_use_own_schema,
       pg_catalog.pg_has_role('pg_monitor', 'USAGE') AS has_monitor,
       pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS has_read_all_stats,
       pg_catalog.pg_has_role('pg_signal_backend', 'USAGE') AS has_signal_backend,
       (SELECT count(*) FROM pg_catalog.pg_stat_replication) AS replicas,
       current_setting('wal_level') AS wal_level, current_setting('deadlock_timeout') AS deadlock_timeout,
       current_setting('track_io_timing')::boolean AS track_io_timing, current_setting('max_connections')::int AS max_connections
FROM pg_catalog.pg_roles r
WHERE r.rolname = current_user
