-- Which tables does each publication name? (Those of FOR ALL TABLES and of whole schemas are named by no publication.)
SELECT p.pubname::text AS name, array_agg(n.nspname || '.' || c.relname ORDER BY n.nspname, c.relname) AS relations
FROM pg_catalog.pg_publication p
JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relnamespace = ANY(%(schemas)s::oid[])
GROUP BY 1
ORDER BY 1
