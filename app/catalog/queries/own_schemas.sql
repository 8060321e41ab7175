-- Which schemas did people make, and which are searched for unqualified names?
SELECT n.oid::bigint AS oid, n.nspname::text AS name,
       array_position(pg_catalog.current_schemas(false), n.nspname) AS searched
FROM pg_catalog.pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', %(own)s)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
ORDER BY n.nspname
