"""What counts as a difference of two schemas, and how it is named."""

import dataclasses

from app.catalog.encoding import from_json, to_json
from app.catalog.fingerprint import SchemaChange, difference, fingerprint
from app.catalog.records import Column, Constraint, EnumType, Index, Relation, Schema

ID = Column(name="id", type="bigint", not_null=True)
EMAIL = Column(name="email", type="text")
ROLE = Column(name="role", type="public.role_kind", not_null=True, default="'user'::public.role_kind")
KEY = Constraint(name="users_pkey", relation="public.users", kind="primary key", definition="PRIMARY KEY (id)", columns=("id",))
INDEX = Index(
    name="public.users_email", relation="public.users", definition="CREATE INDEX users_email ON public.users USING btree (email)"
)


def users(*columns: Column, **traits) -> Relation:
    return Relation(name="public.users", kind="table", columns=columns, **{"constraints": (KEY,), **traits})


def schema(*relations: Relation, **others) -> Schema:
    return Schema(relations={relation.name: relation for relation in relations}, **others)


def test_equal_schemas_have_equal_fingerprints_and_no_difference():
    one, other = schema(users(ID, EMAIL)), schema(users(ID, EMAIL))
    assert fingerprint(one) == fingerprint(other)
    assert difference(one, other) == []


def test_an_added_column_is_named_with_its_definition():
    assert difference(schema(users(ID)), schema(users(ID, ROLE))) == [
        SchemaChange(
            object="public.users.role",
            kind="column",
            change="added",
            definition="public.role_kind DEFAULT 'user'::public.role_kind NOT NULL",
        )
    ]


def test_a_changed_column_shows_both_definitions():
    nullable = dataclasses.replace(ROLE, not_null=False)
    (change,) = difference(schema(users(ID, nullable)), schema(users(ID, ROLE)))
    assert (change.change, change.definition.endswith("NOT NULL"), change.was.endswith("NOT NULL")) == ("changed", True, False)
    assert change.as_json()["was"] == change.was


def test_a_new_table_is_one_change_with_everything_in_it():
    (change,) = difference(schema(), schema(users(ID, EMAIL)))
    assert (change.object, change.kind, change.change) == ("public.users", "table", "added")
    assert change.definition == "(id bigint NOT NULL, email text, CONSTRAINT users_pkey PRIMARY KEY (id))"


def test_a_removed_index_is_named_by_itself():
    (change,) = difference(schema(users(ID, EMAIL, indexes=(INDEX,))), schema(users(ID, EMAIL)))
    assert (change.object, change.kind, change.change) == ("public.users_email", "index", "removed")


def test_an_index_that_became_invalid_is_a_change():
    broken = dataclasses.replace(INDEX, is_valid=False)
    (change,) = difference(schema(users(ID, indexes=(INDEX,))), schema(users(ID, indexes=(broken,))))
    assert change.definition.endswith("INVALID")


def test_columns_that_changed_places_are_a_difference_of_their_own():
    one, other = schema(users(ID, EMAIL, ROLE)), schema(users(ID, ROLE, EMAIL))
    assert fingerprint(one) != fingerprint(other)
    assert [(change.kind, change.definition) for change in difference(one, other)] == [("column order", "id, role, email")]


def test_a_column_added_in_between_is_no_change_of_order():
    assert [change.kind for change in difference(schema(users(ID, EMAIL)), schema(users(ID, ROLE, EMAIL)))] == ["column"]


def test_a_plain_not_null_constraint_says_nothing_that_the_column_does_not():
    named = Constraint(
        name="users_id_not_null", relation="public.users", kind="not null", definition="NOT NULL id", columns=("id",)
    )
    assert fingerprint(schema(users(ID, constraints=(KEY, named)))) == fingerprint(schema(users(ID)))
    loose = dataclasses.replace(named, is_validated=False, definition="NOT NULL id NOT VALID")
    assert fingerprint(schema(users(ID, constraints=(KEY, loose)))) != fingerprint(schema(users(ID)))


def test_owners_sizes_counters_and_extension_versions_do_not_count():
    busy = dataclasses.replace(INDEX, size_bytes=8192, scans=12)
    one = schema(users(ID, indexes=(INDEX,)), extensions={"plpgsql": "1.0"})
    other = schema(users(ID, indexes=(busy,), owner="somebody"), extensions={"plpgsql": "1.1"})
    assert fingerprint(one) == fingerprint(other)


def test_the_order_of_enum_labels_counts():
    one, other = (schema(enums={"public.k": EnumType(name="public.k", labels=labels)}) for labels in (("a", "b"), ("b", "a")))
    assert [change.kind for change in difference(one, other)] == ["enum"]


def test_a_change_reads_as_a_sentence():
    (change,) = difference(schema(users(ID)), schema(users(ID, EMAIL)))
    assert change.sentence() == "column public.users.email: added (text)"


def test_a_record_survives_its_way_through_json_and_unknown_fields_are_passed_over():
    written = to_json(schema(users(ID, EMAIL, indexes=(INDEX,))))
    assert from_json(Schema, {**written, "from_a_newer_headgate": 1}) == schema(users(ID, EMAIL, indexes=(INDEX,)))
    assert "comment" not in written["relations"]["public.users"]
