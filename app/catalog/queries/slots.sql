-- How much WAL does each replication slot keep back? (to_jsonb: the reasons of 16 and 17 are not there before.)
SELECT s.slot_name::text AS name, s.slot_type AS type, s.database::text AS database, s.active AS is_active, s.wal_status,
       pg_catalog.pg_wal_lsn_diff(
         CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END,
         s.restart_lsn)::bigint AS retained_bytes,
       s.safe_wal_size AS safe_wal_bytes, greatest(age(s.xmin), age(s.catalog_xmin)) AS xmin_age,
       to_jsonb(s) ->> 'invalidation_reason' AS invalidation_reason
FROM pg_catalog.pg_replication_slots s
ORDER BY retained_bytes DESC NULLS LAST
