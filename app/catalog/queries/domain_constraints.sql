-- What do the domains check?
SELECT c.contypid::bigint AS domain_oid, c.conname::text AS name, c.contype::text AS kind,
       pg_catalog.pg_get_constraintdef(c.oid) AS definition, c.convalidated AS is_validated
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_type t ON t.oid = c.contypid
WHERE t.typnamespace = ANY(%(schemas)s::oid[])
ORDER BY 1, 2
