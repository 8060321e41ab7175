-- How far behind is each standby? (Replay counts: a slot's restart_lsn follows what was flushed.)
SELECT r.application_name AS application, r.pid, r.state, r.sync_state, s.slot_name::text AS slot,
       pg_catalog.pg_wal_lsn_diff(cur.lsn, r.sent_lsn)::bigint AS unsent_bytes,
       pg_catalog.pg_wal_lsn_diff(r.sent_lsn, r.flush_lsn)::bigint AS unflushed_bytes,
       pg_catalog.pg_wal_lsn_diff(cur.lsn, r.replay_lsn)::bigint AS replay_behind_bytes,
       extract(epoch FROM r.replay_lag)::float8 AS replay_lag_seconds,
       extract(epoch FROM clock_timestamp() - r.reply_time)::float8 AS last_reply_seconds
FROM pg_catalog.pg_stat_replication r
CROSS JOIN LATERAL (
  SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_receive_lsn() ELSE pg_catalog.pg_current_wal_lsn() END AS lsn
) cur
LEFT JOIN pg_catalog.pg_replication_slots s ON s.active_pid = r.pid
ORDER BY replay_behind_bytes DESC NULLS LAST
