-- Which question finds the rows of each foreign key that point nowhere? (Composite keys, MATCH FULL and own operators included.)
SELECT n.nspname || '.' || r.relname AS relation, c.conname::text AS name, c.convalidated AS is_validated,
       pg_catalog.has_table_privilege(c.conrelid, 'SELECT') AND pg_catalog.has_table_privilege(c.confrelid, 'SELECT') AS is_readable,
       format('SELECT /* headgate */ count(*) FROM (SELECT 1 FROM %%s%%I.%%I f WHERE (%%s) AND NOT EXISTS (SELECT 1 FROM %%s%%I.%%I p WHERE %%s) LIMIT %%s) s',
         CASE WHEN r.relkind = 'p' THEN '' ELSE 'ONLY ' END, n.nspname, r.relname,
         (SELECT string_agg(format('f.%%I IS NOT NULL', a.attname), CASE WHEN c.confmatchtype = 'f' THEN ' OR ' ELSE ' AND ' END)
          FROM unnest(c.conkey) k JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k),
         CASE WHEN q.relkind = 'p' THEN '' ELSE 'ONLY ' END, qn.nspname, q.relname,
         (SELECT string_agg(format('p.%%I OPERATOR(%%s.%%s) f.%%I', pa.attname, opn.nspname, op.oprname, fa.attname), ' AND ' ORDER BY i)
          FROM generate_subscripts(c.conkey, 1) i
          JOIN pg_catalog.pg_attribute fa ON fa.attrelid = c.conrelid AND fa.attnum = c.conkey[i]
          JOIN pg_catalog.pg_attribute pa ON pa.attrelid = c.confrelid AND pa.attnum = c.confkey[i]
          JOIN pg_catalog.pg_operator op ON op.oid = c.conpfeqop[i]
          JOIN pg_catalog.pg_namespace opn ON opn.oid = op.oprnamespace),
         %(cap)s::int) AS question
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
JOIN pg_catalog.pg_class q ON q.oid = c.confrelid
JOIN pg_catalog.pg_namespace qn ON qn.oid = q.relnamespace
WHERE c.contype = 'f' AND c.conparentid = 0
  AND (n.nspname || '.' || r.relname = ANY(%(relations)s) OR qn.nspname || '.' || q.relname = ANY(%(relations)s))
ORDER BY 1, 2
