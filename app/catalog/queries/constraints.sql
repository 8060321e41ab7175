-- Which constraints does each table have, and are they validated? (From 18 on, NOT NULL is one of them.)
SELECT c.conrelid::bigint AS relation_oid, c.conname::text AS name, c.contype::text AS kind,
       pg_catalog.pg_get_constraintdef(c.oid) AS definition, c.conkey::int2[] AS attnums, c.convalidated AS is_validated,
       c.confrelid::bigint AS referenced_oid, fn.nspname || '.' || f.relname AS referenced, c.confkey::int2[] AS referenced_attnums,
       CASE WHEN c.contype IN ('p', 'u', 'x') THEN ixn.nspname || '.' || ix.relname END AS index_name, de.description AS comment
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
LEFT JOIN pg_catalog.pg_class f ON f.oid = c.confrelid AND c.contype = 'f'
LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
LEFT JOIN pg_catalog.pg_class ix ON ix.oid = c.conindid
LEFT JOIN pg_catalog.pg_namespace ixn ON ixn.oid = ix.relnamespace
LEFT JOIN pg_catalog.pg_description de
       ON de.classoid = 'pg_catalog.pg_constraint'::regclass AND de.objoid = c.oid AND de.objsubid = 0
WHERE r.relnamespace = ANY(%(schemas)s::oid[])
ORDER BY 1, 2
