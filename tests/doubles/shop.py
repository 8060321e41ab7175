"""A target's catalog as records: the shop that the rules' examples are about. Nothing here needs a server."""

from app.catalog.records import (
    Column,
    Constraint,
    Dependent,
    Domain,
    EnumType,
    Index,
    Relation,
    RelationStatistics,
    Schema,
    Statistics,
)


def _index(table: str, name: str, *columns: str, **more: object) -> Index:
    definition = f"CREATE INDEX {name} ON {table} USING btree ({', '.join(columns)})"
    values = {"columns": columns, "depends_on": columns, "scans": 1000, "definition": definition, **more}
    return Index(name=f"public.{name}", relation=table, **values)


def _key(table: str, *columns: str) -> tuple[Index, Constraint]:
    name = f"{table.rpartition('.')[2]}_pkey"
    index = _index(table, name, *columns, is_unique=True, is_primary=True, constraint=name)
    definition = f"PRIMARY KEY ({', '.join(columns)})"
    return index, Constraint(
        name=name, relation=table, kind="primary key", definition=definition, columns=columns, index=index.name
    )


def _foreign_key(table: str, column: str, parent: str) -> Constraint:
    return Constraint(
        name=f"{table.rpartition('.')[2]}_{column}_fkey",
        relation=table,
        kind="foreign key",
        definition=f"FOREIGN KEY ({column}) REFERENCES {parent}(id)",
        columns=(column,),
        references=parent,
        referenced_columns=("id",),
    )


def _users() -> Relation:
    index, key = _key("public.users", "id")
    check = Constraint(
        name="age_positive", relation="public.users", kind="check", definition="CHECK ((age >= 0))", columns=("age",)
    )
    return Relation(
        name="public.users",
        kind="table",
        columns=(
            Column(name="id", type="bigint", not_null=True, identity="always", owned_sequence="public.users_id_seq"),
            Column(name="name", type="character varying(100)"),
            Column(name="nickname", type="character varying(40)"),
            Column(name="email", type="text"),
            Column(name="age", type="integer"),
            Column(name="status", type="text", not_null=True, default="'new'::text"),
            Column(name="doubled", type="integer", generated="stored", default="(age * 2)"),
            Column(name="org_id", type="bigint"),
        ),
        indexes=(
            index,
            _index("public.users", "users_nick_idx", "nickname"),
            _index("public.users", "users_unused_idx", "name", scans=0),
            _index("public.users", "users_broken_idx", "age", is_valid=False),
        ),
        constraints=(key, check, _foreign_key("public.users", "org_id", "public.orgs")),
        dependents=(Dependent(kind="view", name="public.v_users", columns=("id", "email")),),
    )


def _orders() -> Relation:
    index, key = _key("public.orders", "id")
    return Relation(
        name="public.orders",
        kind="table",
        columns=(
            Column(name="id", type="bigint", not_null=True),
            Column(name="user_id", type="bigint"),
            Column(name="org_id", type="bigint"),
            Column(name="qty", type="integer"),
            Column(name="note", type="character varying(40)"),
            Column(name="state", type="order_state"),
        ),
        indexes=(index, _index("public.orders", "orders_note_idx", columns=(None,), depends_on=("note",))),
        constraints=(
            key,
            _foreign_key("public.orders", "user_id", "public.users"),
            _foreign_key("public.orders", "org_id", "public.orgs"),
        ),
    )


def _plain(name: str, *columns: Column, **more: object) -> Relation:
    return Relation(name=f"public.{name}", kind=more.pop("kind", "table"), columns=columns, **more)


def a_shop(version: int = 18) -> Schema:
    """The schema, as a server of that major version."""
    index, key = _key("public.orgs", "id")
    moment = (
        Column(name="id", type="bigint", not_null=True),
        Column(name="ts", type="timestamp with time zone", not_null=True),
        Column(name="kind", type="text"),
    )
    tenant = (Column(name="k", type="integer"),)
    relations = (
        _users(),
        _orders(),
        _plain("orgs", Column(name="id", type="bigint", not_null=True), indexes=(index,), constraints=(key,)),
        _plain("log", Column(name="id", type="bigint", not_null=True), Column(name="note", type="text")),
        _plain("bookings", Column(name="during", type="tsrange")),
        _plain("contacts", Column(name="mail", type="email")),
        _plain("daily", kind="materialized view", view_definition="SELECT orders.id FROM orders"),
        _plain("v_users", kind="view", view_definition="SELECT users.id, users.email FROM users"),
        _plain("events", *moment, kind="partitioned table", partition_key="RANGE (ts)"),
        _plain(
            "events_2026_01",
            *moment,
            parents=("public.events",),
            partition_bound="FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
        ),
        _plain("events_new", *moment),
        _plain("tenants", *tenant, kind="partitioned table", partition_key="LIST (k)"),
        _plain("tenants_rest", *tenant, parents=("public.tenants",), partition_bound="DEFAULT"),
        _plain("address", Column(name="street", type="text"), kind="composite type"),
    )
    return Schema(
        server_version_num=version * 10_000,
        relations={relation.name: relation for relation in relations},
        enums={"public.order_state": EnumType(name="public.order_state", labels=("new", "paid"))},
        domains={"public.email": _email()},
    )


def _email() -> Domain:
    check = Constraint(name="email_check", relation="public.email", kind="check", definition="CHECK ((VALUE ~~ '%@%'::text))")
    return Domain(name="public.email", base_type="text", constraints=(check,), used_by=("public.contacts",))


def sizes(*, mebibytes: float, rows: int, per_second: float | None = None) -> Statistics:
    """Every table of the shop with the same size and traffic."""
    bytes_ = int(mebibytes * 1024**2)
    return Statistics(
        relations={
            name: RelationStatistics(
                name=name,
                estimated_rows=rows,
                table_bytes=bytes_,
                indexes_bytes=0,
                total_bytes=bytes_,
                reads_per_second=per_second,
                writes_per_second=per_second,
            )
            for name in a_shop().relations
        }
    )
