-- How many physical standbys replay this server's WAL now? (Subscribers of publications replay no locks.)
SELECT count(*)::int AS standbys
FROM pg_catalog.pg_stat_replication r
LEFT JOIN pg_catalog.pg_replication_slots s ON s.active_pid = r.pid
WHERE s.slot_type IS DISTINCT FROM 'logical' AND r.state IS DISTINCT FROM 'backup'
