-- Which objects have a comment, grants or marks that no other question asks for? Rollbacks that make them again would lose these.
WITH own AS (
  SELECT oid, nspname, nspowner, nspacl FROM pg_catalog.pg_namespace WHERE oid = ANY(%(schemas)s::oid[])
), described AS (
  SELECT DISTINCT classoid, objoid FROM pg_catalog.pg_description
)
SELECT 'index ' || own.nspname || '.' || i.relname AS what
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN own ON own.oid = i.relnamespace
WHERE x.indisclustered OR i.reltablespace <> 0
   OR EXISTS (SELECT 1 FROM described d WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid = i.oid)
   OR EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.oid AND a.attstattarget >= 0)
UNION ALL
SELECT 'relation ' || own.nspname || '.' || c.relname
FROM pg_catalog.pg_class c
JOIN own ON own.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (c.relforcerowsecurity OR c.reloftype <> 0 OR c.reltablespace <> 0 OR toast.reloptions IS NOT NULL OR am.amname <> 'heap'
       OR EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN')
       OR EXISTS (SELECT 1 FROM pg_catalog.pg_publication_rel p WHERE p.prrelid = c.oid))
UNION ALL
SELECT 'column ' || own.nspname || '.' || c.relname || '.' || a.attname
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN own ON own.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND (a.attacl IS NOT NULL OR a.attoptions IS NOT NULL)
UNION ALL
SELECT 'trigger ' || own.nspname || '.' || c.relname || '.' || t.tgname
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN own ON own.oid = c.relnamespace
WHERE NOT t.tgisinternal
  AND (t.tgenabled NOT IN ('O', 'D')
       OR EXISTS (SELECT 1 FROM described d WHERE d.classoid = 'pg_catalog.pg_trigger'::regclass AND d.objoid = t.oid))
UNION ALL
SELECT 'policy ' || own.nspname || '.' || c.relname || '.' || p.polname
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
JOIN own ON own.oid = c.relnamespace
JOIN described d ON d.classoid = 'pg_catalog.pg_policy'::regclass AND d.objoid = p.oid
UNION ALL
SELECT 'function ' || own.nspname || '.' || p.proname || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')'
FROM pg_catalog.pg_proc p
JOIN own ON own.oid = p.pronamespace
WHERE p.proacl IS NOT NULL OR pg_catalog.pg_get_userbyid(p.proowner) <> current_user
   OR EXISTS (SELECT 1 FROM described d WHERE d.classoid = 'pg_catalog.pg_proc'::regclass AND d.objoid = p.oid)
UNION ALL
SELECT 'type ' || own.nspname || '.' || t.typname
FROM pg_catalog.pg_type t
JOIN own ON own.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd')
  AND (t.typacl IS NOT NULL OR pg_catalog.pg_get_userbyid(t.typowner) <> current_user
       OR EXISTS (SELECT 1 FROM described d WHERE d.classoid = 'pg_catalog.pg_type'::regclass AND d.objoid = t.oid))
UNION ALL
SELECT 'sequence ' || own.nspname || '.' || c.relname
FROM pg_catalog.pg_class c
JOIN own ON own.oid = c.relnamespace
WHERE c.relkind = 'S'
  AND (c.relacl IS NOT NULL OR c.relpersistence <> 'p' OR pg_catalog.pg_get_userbyid(c.relowner) <> current_user
       OR EXISTS (SELECT 1 FROM described d WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid = c.oid))
UNION ALL
SELECT 'schema ' || own.nspname
FROM own
WHERE own.nspacl IS NOT NULL OR pg_catalog.pg_get_userbyid(own.nspowner) <> current_user
   OR EXISTS (SELECT 1 FROM described d WHERE d.classoid = 'pg_catalog.pg_namespace'::regclass AND d.objoid = own.oid)
ORDER BY 1
