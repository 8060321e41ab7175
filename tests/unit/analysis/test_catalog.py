"""What the target's catalog changes about a verdict, and what the server's version does."""

import pytest

from app.analysis.analyse import analyse_script
from tests.doubles.shop import a_shop


@pytest.mark.parametrize(
    ("level", "script"),
    [
        ("low", "ALTER TABLE users ALTER COLUMN nickname TYPE varchar(80)"),
        ("low", "ALTER TABLE users ALTER COLUMN nickname TYPE text"),
        ("high", "ALTER TABLE users ALTER COLUMN nickname TYPE varchar(10)"),
        ("high", "ALTER TABLE users ALTER COLUMN email TYPE varchar(80)"),
        ("high", "ALTER TABLE users ALTER COLUMN age TYPE bigint"),
        ("high", "ALTER TABLE orders ALTER COLUMN note TYPE varchar(80)"),
        ("low", "ALTER TABLE users ALTER COLUMN status SET NOT NULL"),
        ("medium", "ALTER TABLE users ALTER COLUMN status DROP DEFAULT"),
        ("low", "ALTER TABLE users ADD COLUMN IF NOT EXISTS age int NOT NULL"),
        ("low", "ALTER TABLE users DROP COLUMN IF EXISTS nowhere"),
        ("low", "DROP TABLE IF EXISTS nowhere"),
        ("low", "DROP INDEX IF EXISTS nowhere"),
        ("low", "CREATE INDEX IF NOT EXISTS users_nick_idx ON users (nickname)"),
        ("high", "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_broken_idx ON users (age)"),
        ("high", "CREATE INDEX CONCURRENTLY i ON events (kind)"),
        ("low", "CREATE INDEX i ON ONLY events (kind)"),
        ("high", "CREATE INDEX i ON events (kind)"),
        ("high", "ALTER TABLE tenants DETACH PARTITION tenants_rest CONCURRENTLY"),
        ("high", "CREATE TABLE t PARTITION OF tenants FOR VALUES IN (7)"),
        ("low", "CREATE TABLE t PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2027-02-01')"),
        ("medium", "ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM ('2027-01-01') TO ('2027-02-01')"),
        ("low", "ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey"),
        ("low", "ALTER TABLE users DROP CONSTRAINT age_positive"),
        ("high", "ALTER TABLE users DROP CONSTRAINT users_pkey"),
        ("high", "DROP INDEX CONCURRENTLY users_nick_idx"),
        ("low", "DROP INDEX CONCURRENTLY users_unused_idx"),
        ("high", "ALTER TABLE users ADD COLUMN c email"),
        ("medium", "ALTER DOMAIN email SET NOT NULL"),
        ("low", "UPDATE users SET age = 1 WHERE id = 5"),
        ("high", "UPDATE log SET note = 'x' WHERE id = 5"),
        ("low", "ALTER TABLE users ENABLE TRIGGER ALL"),
    ],
)
def test_a_verdict_follows_the_catalog(level: str, script: str) -> None:
    found = analyse_script(script, schema=a_shop(), assume_large=True)
    assert found.risk == level, [(hit.rule, hit.risk, hit.message) for hit in found.findings()]


@pytest.mark.parametrize(
    ("version", "level", "script"),
    [
        (18, "low", "ALTER TABLE users ADD CONSTRAINT n NOT NULL nickname NOT VALID"),
        (17, "high", "ALTER TABLE users ADD CONSTRAINT n NOT NULL nickname NOT VALID"),
        (18, "low", "ALTER TABLE users ADD COLUMN c int GENERATED ALWAYS AS (age * 2) VIRTUAL"),
        (17, "high", "ALTER TABLE users ADD COLUMN c int GENERATED ALWAYS AS (age * 2) VIRTUAL"),
        (18, "low", "ALTER TABLE events ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES users (id) NOT VALID"),
        (17, "high", "ALTER TABLE events ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES users (id) NOT VALID"),
        (15, "low", "ALTER TABLE users ADD COLUMN c int DEFAULT 5"),
        (10, "high", "ALTER TABLE users ADD COLUMN c int DEFAULT 5"),
        (15, "high", "MERGE INTO log USING users ON log.id = users.id WHEN MATCHED THEN DELETE"),
    ],
)
def test_a_verdict_follows_the_version(version: int, level: str, script: str) -> None:
    assert analyse_script(script, schema=a_shop(), assume_large=True, server_version=version).risk == level


def test_a_valid_check_makes_attach_free_and_one_that_is_not_valid_does_not() -> None:
    check = "ALTER TABLE events_new ADD CONSTRAINT fits CHECK (ts >= '2027-01-01' AND ts < '2027-02-01') NOT VALID; "
    validate = "ALTER TABLE events_new VALIDATE CONSTRAINT fits; "
    attach = "ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM ('2027-01-01') TO ('2027-02-01')"
    proven = analyse_script(check + validate + attach, schema=a_shop(), assume_large=True)
    unproven = analyse_script(check + attach, schema=a_shop(), assume_large=True)
    assert (proven.risk, unproven.risk) == ("low", "medium")
