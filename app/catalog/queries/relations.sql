-- Which tables, views and composite types are there, and how is each made?
SELECT c.oid::bigint AS oid, n.nspname || '.' || c.relname AS name, c.relkind::text AS kind,
       c.relpersistence = 'u' AS is_unlogged, c.relrowsecurity AS row_security, c.relreplident::text AS replica_identity,
       coalesce(c.reloptions, '{}') AS options, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS view_definition,
       CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS partition_bound,
       CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_key,
       de.description AS comment, coalesce(c.relacl::text[], '{}') AS grants,
       CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END AS of_type,
       coalesce(ts.spcname, dbts.spcname)::text AS tablespace
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_database db ON db.datname = pg_catalog.current_database()
JOIN pg_catalog.pg_tablespace dbts ON dbts.oid = db.dattablespace
LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = c.reltablespace
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_description de
       ON de.classoid = 'pg_catalog.pg_class'::regclass AND de.objoid = c.oid AND de.objsubid = 0
LEFT JOIN pg_catalog.pg_depend ext
       ON ext.classid = 'pg_catalog.pg_class'::regclass AND ext.objid = c.oid AND ext.objsubid = 0 AND ext.deptype = 'e'
WHERE c.relnamespace = ANY(%(schemas)s::oid[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND ext.objid IS NULL
ORDER BY 2
