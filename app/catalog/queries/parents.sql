-- Which tables inherit from, or are partitions of, which?
SELECT i.inhrelid::bigint AS relation_oid, n.nspname || '.' || p.relname AS parent
FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
WHERE c.relnamespace = ANY(%(schemas)s::oid[]) AND c.relkind IN ('r', 'p', 'f')
ORDER BY 1, i.inhseqno
