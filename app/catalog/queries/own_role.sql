-- Which role are we, and does anybody besides Headgate use it in this database now?
SELECT (SELECT r.oid::bigint FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS oid,
       EXISTS (
         SELECT FROM pg_catalog.pg_stat_activity a
         WHERE a.usename = current_user AND a.datname = current_database() AND a.backend_type = 'client backend'
           AND a.application_name NOT LIKE 'headgate%%'
       ) AS is_shared
