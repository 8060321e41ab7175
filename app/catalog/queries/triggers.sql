-- Which triggers did people put on which tables?
SELECT t.tgrelid::bigint AS relation_oid, t.tgname::text AS name, pg_catalog.pg_get_triggerdef(t.oid) AS definition,
       pn.nspname || '.' || p.proname AS function, t.tgenabled <> 'D' AS is_enabled
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
WHERE c.relnamespace = ANY(%(schemas)s::oid[]) AND NOT t.tgisinternal
ORDER BY 1, 2
