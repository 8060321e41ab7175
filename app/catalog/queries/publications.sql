-- Which publications send each table to subscribers? (DDL is not replicated: both sides have to be changed, in an order.)
SELECT p.schemaname || '.' || p.tablename AS relation, array_agg(p.pubname::text ORDER BY p.pubname) AS publications
FROM pg_catalog.pg_publication_tables p
GROUP BY 1
