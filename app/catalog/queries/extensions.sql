-- Which extensions are installed, in which version?
SELECT e.extname::text AS name, e.extversion AS version FROM pg_catalog.pg_extension e ORDER BY 1
