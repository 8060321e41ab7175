-- How big is this database? (Not refused by any lock, but it looks at every file: every two seconds at most.)
SELECT pg_catalog.pg_database_size(current_database()) AS database_bytes
