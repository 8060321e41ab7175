"""What read_schema says about a database with one of everything."""

import threading
import time

import psycopg
import pytest

from app.catalog.encoding import from_json, to_json
from app.catalog.fingerprint import difference, fingerprint
from app.catalog.records import Constraint, Dependent, Schema
from app.catalog.schema import read_schema
from tests.doubles.databases import Database

SHOP = """
CREATE TYPE role_kind AS ENUM ('user', 'admin');
CREATE DOMAIN email AS text CONSTRAINT has_at CHECK (VALUE LIKE '%@%');
CREATE TABLE users (
  id bigserial PRIMARY KEY, email email NOT NULL UNIQUE, name varchar(80) COLLATE "C", role role_kind DEFAULT 'user',
  doubled int GENERATED ALWAYS AS (1 + 1) STORED);
CREATE TABLE orders (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint CONSTRAINT orders_user_fk REFERENCES users,
  total numeric(10, 2) CONSTRAINT positive CHECK (total > 0), at timestamptz DEFAULT now());
CREATE INDEX orders_odd ON orders ((total * 2), user_id) INCLUDE (at) WHERE at IS NOT NULL;
CREATE VIEW names AS SELECT id, name FROM users;
CREATE MATERIALIZED VIEW per_user AS SELECT user_id, count(*) AS orders FROM orders GROUP BY 1;
CREATE TABLE events (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE FUNCTION takes(users) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION counts() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(name) FROM users; END;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE TRIGGER touched BEFORE UPDATE OF name ON users FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users FOR SELECT USING (id > 0);
COMMENT ON TABLE users IS 'who buys'; COMMENT ON COLUMN users.name IS 'as they write it';
CREATE TYPE pair AS (a int, b text);
CREATE SCHEMA headgate; CREATE TABLE headgate.ledger (run int);
"""


def schema_of(database: Database) -> Schema:
    with database.connect() as connection:
        return read_schema(connection)


@pytest.fixture
def shop(each_database: Database) -> Database:
    each_database.execute(SHOP)
    return each_database


def test_relations_are_listed_by_qualified_name_without_postgres_and_headgates_own(shop):
    schema = schema_of(shop)
    kinds = {name: relation.kind for name, relation in schema.relations.items()}
    assert kinds == {
        "public.events": "partitioned table",
        "public.events_2020": "table",
        "public.names": "view",
        "public.orders": "table",
        "public.pair": "composite type",
        "public.per_user": "materialized view",
        "public.users": "table",
    }
    assert schema.schemas == ("public",)
    assert schema.search_path == ("public",)
    assert "pg_stat_statements" in schema.extensions
    assert not any("pg_stat_statements" in signature for signature in schema.functions)


def test_columns_keep_type_default_identity_collation_comment_and_sequence(shop):
    users, orders = (schema_of(shop).relations[name] for name in ("public.users", "public.orders"))
    assert [column.name for column in users.columns] == ["id", "email", "name", "role", "doubled"]
    identifier, address, name, role, doubled = users.columns
    assert (identifier.type, identifier.not_null, identifier.owned_sequence) == ("bigint", True, "public.users_id_seq")
    assert identifier.default == "nextval('public.users_id_seq'::regclass)"
    assert (address.type, address.not_null) == ("public.email", True)
    assert (name.type, name.collation, name.comment) == ("character varying(80)", "pg_catalog.C", "as they write it")
    assert (role.type, role.default) == ("public.role_kind", "'user'::public.role_kind")
    assert (doubled.generated, doubled.default) == ("stored", "(1 + 1)")
    assert (orders.columns[0].identity, orders.columns[0].owned_sequence) == ("always", "public.orders_id_seq")


def test_an_index_names_every_column_it_depends_on(shop):
    odd = next(index for index in schema_of(shop).relations["public.orders"].indexes if index.name == "public.orders_odd")
    assert odd.columns == (None, "user_id")
    assert odd.included == ("at",)
    assert set(odd.depends_on) == {"total", "user_id", "at"}
    assert odd.predicate == "(at IS NOT NULL)"
    assert odd.is_valid
    assert odd.constraint is None
    assert odd.definition.startswith("CREATE INDEX orders_odd ON public.orders USING btree")


def test_constraints_say_what_they_refer_to_and_which_index_they_own(shop):
    schema = schema_of(shop)
    key = schema.relations["public.orders"].constraint("orders_user_fk")
    assert key == Constraint(
        name="orders_user_fk",
        relation="public.orders",
        kind="foreign key",
        definition="FOREIGN KEY (user_id) REFERENCES public.users(id)",
        columns=("user_id",),
        references="public.users",
        referenced_columns=("id",),
    )
    assert schema.relations["public.users"].constraint("users_email_key").index == "public.users_email_key"


def test_dependents_of_a_table_are_views_functions_and_foreign_keys_with_the_columns_they_use(shop):
    assert set(schema_of(shop).relations["public.users"].dependents) == {
        Dependent(kind="foreign key", name="public.orders.orders_user_fk", columns=("id",)),
        Dependent(kind="function", name="public.takes(public.users)"),
        Dependent(kind="function", name="public.counts()", columns=("name",)),
        Dependent(kind="view", name="public.names", columns=("id", "name")),
    }


def test_everything_else_that_people_make_is_there(shop):
    schema = schema_of(shop)
    users = schema.relations["public.users"]
    assert [trigger.function for trigger in users.triggers] == ["public.touch"]
    assert [policy.definition for policy in users.policies] == ["PERMISSIVE FOR SELECT TO PUBLIC USING ((id > 0))"]
    assert (users.row_security, users.comment) == (True, "who buys")
    assert schema.enums["public.role_kind"].labels == ("user", "admin")
    assert schema.domains["public.email"].used_by == ("public.users",)
    assert [check.name for check in schema.domains["public.email"].constraints] == ["has_at"]
    assert {function.kind for function in schema.functions.values()} == {"function", "aggregate"}
    assert schema.sequences["public.users_id_seq"].owned_by == "public.users.id"
    partition = schema.relations["public.events_2020"]
    assert partition.parents == ("public.events",)
    assert partition.partition_bound == "FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')"
    assert schema.relations["public.events"].partition_key == "RANGE (day)"
    assert "FROM public.users" in schema.relations["public.names"].view_definition


def test_an_invalid_index_and_an_unvalidated_constraint_show_as_such(each_database):
    each_database.execute("CREATE TABLE users (id int, role text); INSERT INTO users VALUES (1, 'a'), (1, NULL)")
    with pytest.raises(psycopg.errors.UniqueViolation), each_database.connect() as connection:
        connection.execute("CREATE UNIQUE INDEX CONCURRENTLY users_id ON users (id)")
    each_database.execute("ALTER TABLE users ADD CONSTRAINT named CHECK (role IS NOT NULL) NOT VALID")
    users = schema_of(each_database).relations["public.users"]
    assert [index.is_valid for index in users.indexes] == [False]
    assert not users.constraint("named").is_validated


def test_a_not_null_that_is_not_validated_is_a_constraint_and_no_promise_of_the_column(database):
    database.execute("CREATE TABLE users (id int, role text); ALTER TABLE users ADD CONSTRAINT role_set NOT NULL role NOT VALID")
    users = schema_of(database).relations["public.users"]
    assert not users.column("role").not_null
    assert users.constraint("role_set").kind == "not null"
    database.execute("ALTER TABLE users VALIDATE CONSTRAINT role_set")
    assert schema_of(database).relations["public.users"].column("role").not_null


def test_the_schema_survives_its_way_through_json(shop):
    schema = schema_of(shop)
    assert from_json(Schema, to_json(schema)) == schema


def test_two_databases_made_by_the_same_script_have_the_same_fingerprint(database, other_database):
    other_database.execute("CREATE TABLE made_before (id int); DROP TABLE made_before")
    database.execute(SHOP)
    other_database.execute(SHOP)
    first, second = schema_of(database), schema_of(other_database)
    assert fingerprint(first) == fingerprint(second)
    assert difference(first, second) == []


def test_the_search_path_of_the_session_does_not_change_what_is_read(shop):
    plain = schema_of(shop)
    with shop.connect() as connection:
        connection.execute("SET search_path = pg_catalog")
        other = read_schema(connection)
        assert connection.execute("SHOW search_path").fetchone() == ("pg_catalog",)
    assert fingerprint(other) == fingerprint(plain)
    assert other.search_path == ()


def test_inside_a_transaction_its_own_changes_are_seen_and_its_settings_stay(database):
    with database.connect(autocommit=False) as connection:
        connection.execute("SET LOCAL lock_timeout = '7s'")
        connection.execute("CREATE TABLE fresh (id int)")
        assert "public.fresh" in read_schema(connection).relations
        assert connection.execute("SHOW lock_timeout").fetchone() == ("7s",)
        assert connection.execute("SHOW enable_nestloop").fetchone() == ("on",)
        connection.rollback()
    assert "public.fresh" not in schema_of(database).relations


def test_a_role_without_any_right_reads_the_same_schema(shop):
    shop.execute("DROP ROLE IF EXISTS nobody_at_all; CREATE ROLE nobody_at_all LOGIN PASSWORD 'x'")
    with psycopg.connect(shop.dsn_for("nobody_at_all", "x"), autocommit=True) as connection:
        seen = read_schema(connection)
    assert fingerprint(seen) == fingerprint(schema_of(shop))


def test_reading_gives_up_after_two_seconds_at_a_table_that_is_being_altered(shop):
    with shop.connect(autocommit=False) as other, shop.connect() as connection:
        other.execute("ALTER TABLE users ADD COLUMN held int")
        failed: list[BaseException] = []

        def read() -> None:
            try:
                read_schema(connection)
            except psycopg.errors.LockNotAvailable as error:
                failed.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        thread.join(timeout=10)
        other.rollback()
    assert len(failed) == 1


def test_the_same_script_gives_the_same_schema_on_another_major_version(database, database_17):
    for each in (database, database_17):
        each.execute(SHOP)
    assert difference(schema_of(database_17), schema_of(database)) == []
    assert fingerprint(schema_of(database_17)) == fingerprint(schema_of(database))


def test_a_thousand_tables_in_a_database_that_was_never_analyzed_are_read_at_once(database):
    tables = ";".join(
        f"CREATE TABLE t{number} (id bigserial PRIMARY KEY, a text, b int); CREATE INDEX ON t{number} (a)"
        for number in range(1000)
    )
    database.execute(tables)
    with database.connect() as connection:
        read_schema(connection)
        began = time.perf_counter()
        schema = read_schema(connection)
        took = time.perf_counter() - began
    assert len(schema.relations) == 1000
    # usually 0.15 s; the planner's nested loops without statistics made it 4 s
    assert took < 2
