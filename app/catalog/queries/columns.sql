-- Which columns does each relation have, in order?
-- From 18 on a column can be marked NOT NULL by a constraint that is not validated: such a column may still hold nulls.
WITH loose AS (
  SELECT conrelid, conkey[1] AS attnum FROM pg_catalog.pg_constraint WHERE contype = 'n' AND NOT convalidated
), owned AS (
  SELECT DISTINCT ON (d.refobjid, d.refobjsubid) d.refobjid, d.refobjsubid, n.nspname || '.' || s.relname AS name
  FROM pg_catalog.pg_class s
  JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.oid
   AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
  WHERE s.relkind = 'S'
  ORDER BY d.refobjid, d.refobjsubid, name
)
SELECT a.attrelid::bigint, a.attnum::int, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
       a.attnotnull AND loose.attnum IS NULL,
       CASE WHEN a.atthasdef THEN pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) END,
       a.attidentity::text, a.attgenerated::text,
       CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
            THEN (SELECT cn.nspname || '.' || co.collname FROM pg_catalog.pg_collation co
                  JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) END,
       de.description, owned.name, nullif(a.attstattarget, -1)::int,
       CASE WHEN a.attstorage <> t.typstorage
            THEN CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END
            ELSE '' END,
       CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE '' END
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
LEFT JOIN pg_catalog.pg_description de
       ON de.classoid = 'pg_catalog.pg_class'::regclass AND de.objoid = a.attrelid AND de.objsubid = a.attnum
LEFT JOIN loose ON loose.conrelid = a.attrelid AND loose.attnum = a.attnum
LEFT JOIN owned ON owned.refobjid = a.attrelid AND owned.refobjsubid = a.attnum
WHERE c.relnamespace = ANY(%(schemas)s::oid[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
