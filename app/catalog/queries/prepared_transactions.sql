-- Which prepared transactions hold locks in this database? (They appear as blocker 0; the join goes through their transaction's own lock.)
SELECT p.gid, p.owner::text AS owner, extract(epoch FROM clock_timestamp() - p.prepared)::float8 AS age_seconds,
       array_agg(DISTINCT n.nspname || '.' || c.relname || ' ' || l.mode) FILTER (WHERE c.oid IS NOT NULL) AS locks
FROM pg_catalog.pg_prepared_xacts p
JOIN pg_catalog.pg_locks x ON x.locktype = 'transactionid' AND x.transactionid = p.transaction AND x.granted AND x.pid IS NULL
JOIN pg_catalog.pg_locks l ON l.virtualtransaction = x.virtualtransaction AND l.pid IS NULL
LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE p.database = current_database()
GROUP BY 1, 2, 3
