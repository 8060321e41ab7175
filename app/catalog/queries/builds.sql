-- Which indexes are being built right now (and are therefore invalid without being left-overs)?
SELECT n.nspname || '.' || c.relname AS name, p.pid
FROM pg_catalog.pg_stat_progress_create_index p
JOIN pg_catalog.pg_class c ON c.oid = p.index_relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
