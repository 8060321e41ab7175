"""Restores beside the old database on a real server: complete and alike, or gone without a trace."""

from dataclasses import replace

import pytest

from app.backup.beside import DatabaseTakenError
from app.backup.clients import ClientTooOldError
from app.backup.place import Place
from app.backup.restore import RestoreFailedError, restore
from tests.doubles.databases import Database
from tests.postgres.backup.taking import an_order, databases, restored, sessions_of, taken


def test_a_backup_is_restored_beside_the_old_database_and_its_rows_compared(shop: Database, place: Place):
    artifact = taken(shop, place)
    shop.execute("DELETE FROM users")
    made = restored(an_order(shop, place, artifact, f"{shop.name}_new"))
    assert (made.rows["public.users"], made.is_equal) == (1000, True)
    assert shop.value("SELECT count(*) FROM users") == 0
    shop.execute(f'DROP DATABASE "{made.database}"')


def test_the_new_database_takes_over_what_pg_dump_leaves_out(shop: Database, place: Place):
    shop.execute(f"""
        DROP ROLE IF EXISTS shop_owner; CREATE ROLE shop_owner;
        ALTER DATABASE "{shop.name}" OWNER TO shop_owner;
        ALTER DATABASE "{shop.name}" CONNECTION LIMIT 77;
        ALTER DATABASE "{shop.name}" SET search_path TO 'public', "Odd Schema";
        ALTER DATABASE "{shop.name}" SET work_mem TO '7MB';
        ALTER ROLE shop_owner IN DATABASE "{shop.name}" SET statement_timeout TO '5s';
        REVOKE ALL ON DATABASE "{shop.name}" FROM PUBLIC; GRANT CONNECT ON DATABASE "{shop.name}" TO pg_monitor
    """)
    like = """
        SELECT pg_get_userbyid(datdba), encoding, datcollate, datctype, datlocprovider, datconnlimit, datacl::text,
               (SELECT array_agg(setrole::text || setconfig::text ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid)
        FROM pg_database AS d WHERE datname = %s
    """
    made = restored(an_order(shop, place, taken(shop, place), f"{shop.name}_new"))
    assert shop.rows(like, [made.database]) == shop.rows(like, [shop.name])
    shop.execute(f'DROP DATABASE "{made.database}"')
    shop.execute(f'ALTER DATABASE "{shop.name}" OWNER TO CURRENT_USER')
    shop.execute(f'ALTER ROLE shop_owner IN DATABASE "{shop.name}" RESET ALL; DROP OWNED BY shop_owner; DROP ROLE shop_owner')


@pytest.mark.parametrize("is_proof", [True, False])
def test_an_extension_that_only_a_superuser_may_make_is_left_out_and_named(shop: Database, place: Place, is_proof: bool):
    shop.execute("DROP ROLE IF EXISTS modest_owner; CREATE ROLE modest_owner LOGIN CREATEDB PASSWORD 'modest'")
    shop.execute(
        "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; CREATE EXTENSION citext; ALTER TABLE users ADD nick citext DEFAULT 'A'"
    )
    shop.execute(f'ALTER DATABASE "{shop.name}" OWNER TO modest_owner; GRANT pg_read_all_data TO modest_owner')
    shop.execute('ALTER TABLE users OWNER TO modest_owner; DROP TABLE "Odd Name", events')
    order = an_order(shop, place, taken(shop, place), f"{shop.name}_new", is_proof=is_proof)
    made = restored(replace(order, dsn=shop.dsn_for("modest_owner", "modest")))
    assert (made.rows["public.users"], made.is_equal) == (1000, True)
    left_out = "Extensions that this role may not make: pg_stat_statements."
    way_out = ' A superuser makes them in the new database: CREATE EXTENSION "pg_stat_statements";'
    assert made.left_out == (left_out if is_proof else left_out + way_out)
    shop.execute(f'DROP DATABASE "{made.database}"')
    shop.execute(f'ALTER DATABASE "{shop.name}" OWNER TO CURRENT_USER')
    shop.execute("DROP OWNED BY modest_owner CASCADE; DROP ROLE modest_owner")


def test_a_restore_never_writes_over_a_database(shop: Database, place: Place):
    artifact = taken(shop, place)
    with pytest.raises(DatabaseTakenError, match="exists"):
        restored(an_order(shop, place, artifact, shop.name))
    assert shop.value("SELECT count(*) FROM users") == 1000


def test_what_an_earlier_attempt_of_the_same_restore_left_is_made_anew(shop: Database, place: Place):
    artifact, new = taken(shop, place), f"{shop.name}_new"
    shop.execute(f'CREATE DATABASE "{new}"')
    with pytest.raises(DatabaseTakenError):
        restored(an_order(shop, place, artifact, new))
    shop.execute(f"""COMMENT ON DATABASE "{new}" IS 'headgate restore 1'""")
    assert restored(an_order(shop, place, artifact, new)).is_equal
    shop.execute(f'DROP DATABASE "{new}"')


def test_a_restore_that_fails_drops_the_new_database_and_touches_nothing_else(shop: Database, place: Place):
    shop.execute("CREATE TABLE child (user_id bigint REFERENCES users)")
    artifact, new = taken(shop, place, tables=("public.child",)), f"{shop.name}_new"
    with pytest.raises(RestoreFailedError, match="users"):
        restored(an_order(shop, place, artifact, new))
    assert databases(shop, new) == 0
    assert shop.value("SELECT count(*) FROM users") == 1000


def test_a_restore_that_is_stopped_drops_the_new_database(shop: Database, place: Place):
    artifact, new = taken(shop, place), f"{shop.name}_new"
    running = restore(an_order(shop, place, artifact, new))
    while next(running).phase != "restoring":
        pass
    running.close()
    assert databases(shop, new) == 0
    assert sessions_of(shop, "headgate restore") == []


def test_a_test_restore_of_some_tables_holds_their_rows_and_says_what_it_left_out(shop: Database, place: Place):
    shop.execute("CREATE SCHEMA sales; CREATE TABLE sales.orders (user_id bigint REFERENCES users)")
    shop.execute("INSERT INTO sales.orders SELECT id FROM users LIMIT 7")
    artifact, new = taken(shop, place, tables=("sales.orders",)), f"{shop.name}_new"
    made = restored(an_order(shop, place, artifact, new, is_proof=True, like=None))
    assert (dict(made.rows), made.is_equal) == ({"sales.orders": 7}, True)
    assert made.left_out.startswith("Indexes, constraints")
    shop.execute(f'DROP DATABASE "{new}"')


def test_rows_that_are_not_the_ones_of_the_dump_are_told(shop: Database, place: Place):
    artifact = taken(shop, place)
    shorter = replace(artifact.manifest, rows={**artifact.manifest.rows, "public.users": 1001, "public.gone": 3})
    path = place.directory / "b.manifest.json"
    path.write_text(shorter.text())
    made = restored(an_order(shop, place, replace(artifact, manifest=shorter), f"{shop.name}_new"))
    assert made.differs == {"public.users": (1001, 1000), "public.gone": (3, None)}
    assert not made.is_equal
    shop.execute(f'DROP DATABASE "{made.database}"')


def test_pg_restore_that_is_older_than_the_dump_is_refused(shop: Database, postgres_17, place: Place):
    artifact = taken(shop, place)
    old = replace(place, bin_dir=postgres_17.installation / "bin")
    with pytest.raises(ClientTooOldError, match="17, the backup was written by pg_dump 18"):
        restored(an_order(shop, old, artifact, f"{shop.name}_new"))
