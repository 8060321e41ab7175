"""What a script would leave of the shop's tables, told from the catalog and the text; a doubt where only a rehearsal can tell."""

import pytest

from app.analysis.foresight import foresee
from app.catalog.preview import Preview, TablePreview, preview
from app.sql.split import split
from tests.doubles.shop import a_shop


def foreseen(sql: str) -> Preview:
    before = a_shop()
    after, doubts = foresee(split(sql), before)
    return preview(before, after, basis="statements", doubts=doubts)


def table(sql: str, name: str) -> TablePreview:
    return next(found for found in foreseen(sql).tables if found.table == name)


def test_columns_constraints_and_indexes_come_and_go_line_by_line():
    found = table(
        "ALTER TABLE users ADD COLUMN tier int NOT NULL DEFAULT 1, DROP COLUMN doubled, ALTER status DROP DEFAULT;"
        "ALTER TABLE users ADD CONSTRAINT tier_positive CHECK (tier > 0) NOT VALID;"
        "CREATE INDEX CONCURRENTLY users_tier_idx ON users (tier); DROP INDEX users_nick_idx;",
        "public.users",
    )
    assert found.doubts == ()
    added = [text.strip() for sign, text in found.difference if sign == "+"]
    gone = [text.strip() for sign, text in found.difference if sign == "-"]
    assert "tier integer DEFAULT 1 NOT NULL," in added
    assert "CONSTRAINT tier_positive CHECK (tier > 0) NOT VALID" in added
    assert "CREATE INDEX users_tier_idx ON users (tier);" in added
    assert "doubled integer GENERATED ALWAYS AS ((age * 2)) STORED," in gone
    assert any(text.startswith("CREATE INDEX users_nick_idx") for text in gone)


def test_a_new_table_has_the_names_that_postgresql_will_choose():
    found = table(
        "CREATE TABLE roles (id serial PRIMARY KEY, name text UNIQUE, owner bigint REFERENCES users (id));", "public.roles"
    )
    assert found.change == "new"
    for line in (
        "id integer DEFAULT nextval('public.roles_id_seq'::regclass) NOT NULL",
        "CONSTRAINT roles_pkey PRIMARY KEY (id)",
        "CONSTRAINT roles_name_key UNIQUE (name)",
        "CONSTRAINT roles_owner_fkey FOREIGN KEY (owner) REFERENCES users (id)",
    ):
        assert line in (found.after or "")


def test_a_comma_at_the_end_of_a_line_is_no_difference():
    found = table("CREATE TABLE a (x int); ALTER TABLE orgs ADD COLUMN y int", "public.orgs")
    assert [text for sign, text in found.difference if sign == "-"] == []


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("ALTER TABLE orders RENAME COLUMN note TO remark", "another name"),
        ("DROP TABLE orgs", "others depend on"),
        ("ALTER TABLE users ALTER COLUMN age TYPE bigint", "CHECK"),
        ("ALTER TABLE users DROP COLUMN age CASCADE", "CASCADE"),
        ("ALTER TABLE users ADD CONSTRAINT k UNIQUE USING INDEX users_nick_idx", "an index that is there"),
    ],
)
def test_what_only_a_rehearsal_can_tell_is_a_doubt_and_no_definition(sql, reason):
    doubtful = [found for found in foreseen(sql).tables if found.doubts]
    assert doubtful
    assert all(found.after is None for found in doubtful)
    assert any(reason in text for found in doubtful for text in found.doubts)


@pytest.mark.parametrize("sql", ["DO $$ BEGIN PERFORM 1; END $$", "SET search_path = app", "DROP SCHEMA app CASCADE"])
def test_what_may_change_anything_is_a_doubt_about_everything(sql):
    assert foreseen(sql).doubts


def test_the_diagram_has_the_changed_table_and_its_neighbours_with_signs():
    drawn = foreseen("ALTER TABLE orders ADD COLUMN n int, DROP COLUMN qty").diagram
    marks = {box.name: box.change for box in drawn.boxes}
    assert marks == {"public.orders": "changed", "public.users": "", "public.orgs": ""}
    columns = {column.name: column.change for column in drawn.boxes[0].columns}
    assert (columns["n"], columns["qty"], columns["id"]) == ("new", "removed", "")
    assert {(line.child, line.parent) for line in drawn.lines} == {
        ("public.orders", "public.users"),
        ("public.orders", "public.orgs"),
    }


def test_too_many_tables_are_counted_and_not_drawn():
    found = foreseen("".join(f"CREATE TABLE t{number} (id int);" for number in range(30))).diagram
    assert (len(found.boxes), found.left_out) == (24, 6)


def test_a_preview_survives_its_store():
    found = foreseen("CREATE TABLE a (x int); ALTER TABLE orders ADD COLUMN n int; CREATE TYPE mood AS ENUM ('ok')")
    assert Preview.from_json(found.as_json()) == found
