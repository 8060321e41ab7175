"""Whole scripts with the level they deserve, where nothing is known of the target: tables are large and busy, new ones free."""

import pytest

from app.analysis.analyse import analyse_script

CASES = """
low: ALTER TABLE users ADD COLUMN a text
low: ALTER TABLE users ADD COLUMN a boolean NOT NULL DEFAULT false
low: ALTER TABLE users ADD COLUMN a timestamptz DEFAULT now()
low: ALTER TABLE users ADD COLUMN a timestamptz DEFAULT CURRENT_TIMESTAMP
low: ALTER TABLE users ADD COLUMN a jsonb NOT NULL DEFAULT '{}'::jsonb
high: ALTER TABLE users ADD COLUMN a uuid DEFAULT gen_random_uuid()
high: ALTER TABLE users ADD COLUMN a uuid DEFAULT uuid_generate_v4()
high: ALTER TABLE users ADD COLUMN a timestamptz NOT NULL DEFAULT clock_timestamp()
high: ALTER TABLE users ADD COLUMN a int NOT NULL
high: ALTER TABLE users ADD COLUMN a serial
medium: ALTER TABLE users ADD COLUMN a int CHECK (a > 0)
high: ALTER TABLE users ADD COLUMN a text UNIQUE
low: ALTER TABLE users ADD COLUMN a bigint REFERENCES orgs(id)
high: ALTER TABLE users DROP COLUMN a
high: ALTER TABLE users RENAME COLUMN a TO b
high: ALTER TABLE users RENAME TO people
high: ALTER TABLE users ALTER COLUMN a TYPE bigint
high: ALTER TABLE users ALTER COLUMN a SET DATA TYPE text USING a::text
medium: ALTER TABLE users ALTER COLUMN a SET NOT NULL
low: ALTER TABLE users ALTER COLUMN a DROP NOT NULL
low: ALTER TABLE users ALTER COLUMN a SET DEFAULT 5
low: ALTER TABLE users ALTER COLUMN a DROP DEFAULT
medium: ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0)
low: ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0) NOT VALID
low: ALTER TABLE users VALIDATE CONSTRAINT c
medium: ALTER TABLE o ADD CONSTRAINT f FOREIGN KEY (u) REFERENCES users(id)
low: ALTER TABLE o ADD CONSTRAINT f FOREIGN KEY (u) REFERENCES users(id) NOT VALID
high: ALTER TABLE users ADD CONSTRAINT u UNIQUE (a)
high: ALTER TABLE users ADD PRIMARY KEY (id)
low: CREATE UNIQUE INDEX CONCURRENTLY u ON users(a); ALTER TABLE users ADD CONSTRAINT u UNIQUE USING INDEX u
low: ALTER TABLE users ADD CONSTRAINT u UNIQUE USING INDEX u
low: ALTER TABLE users DROP CONSTRAINT some_check
high: ALTER TABLE users DROP CONSTRAINT users_pkey
high: CREATE INDEX i ON users(a)
high: CREATE UNIQUE INDEX i ON users(a)
low: CREATE INDEX CONCURRENTLY i ON users(a)
low: CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users(a)
high: BEGIN; CREATE INDEX CONCURRENTLY i ON users(a); COMMIT
high: DROP INDEX i
low: DROP INDEX CONCURRENTLY i
high: REINDEX INDEX i
low: REINDEX INDEX CONCURRENTLY i
low: CREATE TABLE t (id bigserial PRIMARY KEY, u bigint REFERENCES users(id)); CREATE INDEX ON t(u); ALTER TABLE t ADD COLUMN x int NOT NULL; ALTER TABLE t ADD CONSTRAINT c CHECK (x>0); UPDATE t SET x=1; DROP TABLE t
high: DROP TABLE users
high: DROP TABLE IF EXISTS users
high: TRUNCATE users
high: DELETE FROM users
high: DELETE FROM users WHERE true
high: DELETE FROM users WHERE 1=1
high: UPDATE users SET a=1
high: UPDATE users SET a=1 WHERE NOT false
high: UPDATE users SET a=1 WHERE a IS NULL
low: UPDATE users SET a=1 WHERE id=5
low: UPDATE users SET a=1 WHERE id IN (1,2,3)
low: UPDATE users SET a=1 WHERE id BETWEEN 1 AND 1000
low: UPDATE users SET a=1 WHERE id IN (SELECT id FROM users WHERE a IS NULL LIMIT 1000)
low: UPDATE users SET a=1 WHERE ctid = ANY (ARRAY(SELECT ctid FROM users WHERE a IS NULL LIMIT 1000))
low: UPDATE users SET a=1 WHERE id >= 1 AND id < 1001
low: UPDATE users SET a=1 WHERE id > 5000 AND id <= 6000
high: UPDATE users SET a=1 WHERE id > 5000
low: DELETE FROM users WHERE id = ANY('{1,2}')
low: INSERT INTO users (id) VALUES (1)
low: INSERT INTO users (id) VALUES (1) ON CONFLICT DO NOTHING
medium: INSERT INTO users SELECT * FROM old
low: INSERT INTO users SELECT 1
high: VACUUM FULL users
low: VACUUM users
low: VACUUM (ANALYZE) users
low: ANALYZE users
high: CLUSTER users USING i
high: ALTER TABLE users SET UNLOGGED
high: ALTER TABLE users SET TABLESPACE fast
low: ALTER TABLE users SET (fillfactor=70)
low: ALTER TABLE users SET (autovacuum_enabled=false)
low: ALTER TABLE users ALTER COLUMN a SET STATISTICS 100
low: ALTER TYPE e ADD VALUE 'x'
high: ALTER TYPE e RENAME VALUE 'x' TO 'y'
high: BEGIN; ALTER TYPE e ADD VALUE 'x'; UPDATE t SET s='x' WHERE id=1; COMMIT
low: CREATE TYPE e AS ENUM ('a'); CREATE TABLE t(x e)
low: CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'
low: CREATE VIEW v AS SELECT 1
low: CREATE OR REPLACE VIEW v AS SELECT * FROM users
medium: DROP VIEW v
low: CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()
low: DROP TRIGGER t ON users
high: ALTER TABLE users DISABLE TRIGGER ALL
high: ALTER TABLE users ENABLE ROW LEVEL SECURITY
low: CREATE POLICY p ON users USING (true)
low: CREATE EXTENSION IF NOT EXISTS pgcrypto
high: DROP EXTENSION citext
low: CREATE SCHEMA s
high: DROP SCHEMA s CASCADE
low: CREATE SEQUENCE s
low: ALTER SEQUENCE s RESTART
low: COMMENT ON TABLE users IS 'x'
low: GRANT SELECT ON users TO x
medium: ALTER TABLE e ATTACH PARTITION p FOR VALUES IN (1)
medium: ALTER TABLE e DETACH PARTITION p
low: ALTER TABLE e DETACH PARTITION p CONCURRENTLY
low: CREATE TABLE p PARTITION OF e FOR VALUES IN (1)
medium: REFRESH MATERIALIZED VIEW mv
low: REFRESH MATERIALIZED VIEW CONCURRENTLY mv
medium: LOCK TABLE users IN ACCESS EXCLUSIVE MODE
low: SELECT 1
low: SELECT pg_catalog.set_config('search_path', '', false)
unknown: SELECT my_migration()
unknown: CALL p()
unknown: DO $$ BEGIN EXECUTE 'ALTER TABLE ' || quote_ident('users') || ' ADD COLUMN x int'; END $$
low: DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname='e') THEN CREATE TYPE e AS ENUM ('a'); END IF; END $$
high: DO $$ BEGIN UPDATE users SET a=1; END $$
high: DO $$ BEGIN DROP TABLE users; END $$
low: DO $$ BEGIN CREATE TYPE e AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN null; END $$
low: ALTER TABLE users ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT c; ALTER TABLE users ALTER COLUMN a SET NOT NULL; ALTER TABLE users DROP CONSTRAINT c
medium: ALTER TABLE users ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE users ALTER COLUMN a SET NOT NULL
medium: BEGIN; ALTER TABLE users ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT c; COMMIT
low: BEGIN; ALTER TABLE users ADD COLUMN a int; COMMIT
low: BEGIN; SET LOCAL lock_timeout='2s'; ALTER TABLE users ADD COLUMN a int; ALTER TABLE users ADD COLUMN b int; COMMIT
high: BEGIN; ALTER TABLE users ADD COLUMN a int; UPDATE users SET a=1; COMMIT
high: BEGIN; ALTER TABLE users ADD COLUMN a int
low: CREATE TEMP TABLE t AS SELECT 1; UPDATE t SET a=1; CREATE INDEX ON t(a)
low: CREATE TABLE a.t(id int); CREATE INDEX ON a.t(id)
high: CREATE TABLE a.t(id int); CREATE INDEX ON b.t(id)
high: CREATE TABLE t(id int); ALTER TABLE t RENAME TO users2; CREATE INDEX ON users(id)
low: CREATE TABLE t(id int); ALTER TABLE t RENAME TO u; CREATE INDEX ON u(id)
high: ALTER TABLE users ADD COLUMN a int GENERATED ALWAYS AS (b*2) STORED
low: ALTER TABLE users ADD COLUMN a int GENERATED ALWAYS AS (b*2) VIRTUAL
low: ALTER TABLE users ADD CONSTRAINT n NOT NULL a NOT VALID
medium: ALTER TABLE users ADD CONSTRAINT n NOT NULL a
high: ALTER TABLE users ADD CONSTRAINT x EXCLUDE USING gist (r WITH &&)
low: CREATE DOMAIN d AS text; ALTER TABLE users ADD COLUMN a d
high: CREATE DOMAIN d AS text CHECK (value <> ''); ALTER TABLE users ADD COLUMN a d
high: CREATE DOMAIN d AS text NOT NULL; ALTER TABLE users ADD COLUMN a d
medium: ALTER DOMAIN d ADD CHECK (value <> '')
low: ALTER DOMAIN d ADD CONSTRAINT x CHECK (value <> '') NOT VALID
low: ALTER DOMAIN d DROP CONSTRAINT x
high: ALTER SCHEMA a RENAME TO b
high: ALTER TABLE users SET SCHEMA archive
low: ALTER INDEX i RENAME TO j
low: ALTER TABLE users RENAME CONSTRAINT a TO b
low: CREATE STATISTICS s ON a, b FROM users
low: CREATE PUBLICATION p FOR TABLE users
low: SET lock_timeout = '1s'
low: CREATE ROLE x
high: ALTER TABLE users DROP COLUMN a, ADD COLUMN b int
low: CREATE TABLE IF NOT EXISTS t(id int); CREATE INDEX IF NOT EXISTS i ON t(id)
high: WITH x AS (DELETE FROM users RETURNING *) INSERT INTO archive SELECT * FROM x
high: MERGE INTO users USING n ON users.id=n.id WHEN MATCHED THEN DELETE
medium: CREATE TABLE copy AS SELECT * FROM users
low: CREATE TABLE copy AS SELECT * FROM users WITH NO DATA
low: CREATE TABLE copy (LIKE users INCLUDING ALL)
low: CREATE MATERIALIZED VIEW mv AS SELECT * FROM users WITH NO DATA
low: ALTER TABLE users OWNER TO x
high: ALTER TABLE users ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY, ALTER COLUMN b TYPE int
low: ALTER TABLE users ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY
low: EXPLAIN SELECT * FROM users
medium: ALTER TABLE users REPLICA IDENTITY FULL
low: UPDATE users SET a=1 WHERE id > 1000000 AND id <= 1001000
high: UPDATE users u SET a = o.a FROM orders o WHERE u.id = o.user_id
low: UPDATE users u SET a = v.a FROM (VALUES (1, 2), (3, 4)) AS v (id, a) WHERE u.id = v.id
low: UPDATE users SET a = 1 WHERE id = (SELECT max(id) FROM users)
high: DELETE FROM users USING banned WHERE users.id = banned.id
medium: ALTER TABLE users ADD COLUMN a int, VALIDATE CONSTRAINT c
medium: ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0) NOT VALID, VALIDATE CONSTRAINT c
low: REVOKE SELECT ON users FROM x
"""


def _cases() -> list[tuple[str, str]]:
    return [(line.partition(": ")[0], line.partition(": ")[2]) for line in CASES.strip().splitlines()]


@pytest.mark.parametrize(("level", "script"), _cases(), ids=[script[:70] for _, script in _cases()])
def test_a_script_gets_the_level_that_it_deserves(level: str, script: str) -> None:
    found = analyse_script(script)
    assert found.risk == level, [(finding.rule, finding.risk) for finding in found.findings()]
