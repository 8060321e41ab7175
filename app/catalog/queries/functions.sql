-- Which functions and procedures did people make?
SELECT n.nspname || '.' || p.proname || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')' AS signature,
       l.lanname::text AS language, p.provolatile::text AS volatility, p.prokind::text AS kind,
       CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid)
            ELSE 'CREATE AGGREGATE ' || n.nspname || '.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ') (SFUNC = '
                 || ag.aggtransfn::text || ', STYPE = ' || pg_catalog.format_type(ag.aggtranstype, NULL)
                 || CASE WHEN ag.aggfinalfn <> 0 THEN ', FINALFUNC = ' || ag.aggfinalfn::text ELSE '' END
                 || coalesce(', INITCOND = ' || pg_catalog.quote_literal(ag.agginitval), '') || ')' END AS definition
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_aggregate ag ON ag.aggfnoid = p.oid
WHERE p.pronamespace = ANY(%(schemas)s::oid[])
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1
