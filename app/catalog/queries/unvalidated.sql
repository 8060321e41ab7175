-- Which constraints of these tables were not checked against the rows that were there?
SELECT n.nspname || '.' || r.relname || '.' || c.conname AS name, c.contype::text AS kind
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE NOT c.convalidated AND n.nspname || '.' || r.relname = ANY(%(relations)s)
ORDER BY 1
