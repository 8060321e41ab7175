-- Is pg_stat_statements installed here, in which schema, and was its library loaded when the server started?
SELECT (SELECT n.nspname::text FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_stat_statements') AS schema,
       (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_stat_statements') AS version,
       current_setting('pg_stat_statements.max', true)::bigint AS max_entries,
       coalesce(current_setting('pg_stat_statements.track', true), 'none') <> 'none' AS is_tracking,
       EXISTS (SELECT 1 FROM pg_catalog.pg_available_extensions WHERE name = 'pg_stat_statements') AS is_available
