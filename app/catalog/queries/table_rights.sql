-- Whose tables are here, and may the connecting role alter and read them? (To alter a table one needs the rights of its owner.)
SELECT pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, count(*) AS tables,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS is_ours,
       count(*) FILTER (WHERE pg_catalog.has_table_privilege(c.oid, 'SELECT')) AS readable
FROM pg_catalog.pg_class c
LEFT JOIN pg_catalog.pg_depend ext
       ON ext.classid = 'pg_catalog.pg_class'::regclass AND ext.objid = c.oid AND ext.objsubid = 0 AND ext.deptype = 'e'
WHERE c.relnamespace = ANY(%(schemas)s::oid[]) AND c.relkind IN ('r', 'p', 'm') AND ext.objid IS NULL
GROUP BY c.relowner
ORDER BY 2 DESC, 1
