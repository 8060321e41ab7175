"""A catalog in memory for the recipes: a table in use, one that it refers to, a partitioned one."""

from app.catalog.records import Column, Constraint, Dependent, Index, Relation, Schema

ID = Column(name="id", type="bigint", not_null=True)
USERS = Relation(
    name="public.Users",
    kind="table",
    columns=(
        ID,
        Column(name="Nick", type="character varying(40)"),
        Column(name="org", type="integer"),
        Column(name="seen", type="text"),
        Column(name="full_name", type="text"),
        Column(name="note", type="text", not_null=True),
    ),
    indexes=(
        Index(
            name="public.Users_pkey",
            relation="public.Users",
            definition='CREATE UNIQUE INDEX "Users_pkey" ON public."Users" USING btree (id)',
            columns=("id",),
            is_unique=True,
            is_primary=True,
            constraint="Users_pkey",
            depends_on=("id",),
        ),
    ),
    constraints=(
        Constraint(
            name="Users_pkey",
            relation="public.Users",
            kind="primary key",
            definition="PRIMARY KEY (id)",
            columns=("id",),
            index="public.Users_pkey",
        ),
    ),
    dependents=(Dependent(kind="view", name="public.seen_by", columns=("seen",)),),
)
ORGS = Relation(
    name="public.orgs",
    kind="table",
    columns=(ID,),
    constraints=(
        Constraint(name="orgs_pkey", relation="public.orgs", kind="primary key", definition="PRIMARY KEY (id)", columns=("id",)),
    ),
)
EVENTS = Relation(name="public.events", kind="partitioned table", columns=(ID,))
PART = Relation(name="public.events_1", kind="table", columns=(ID,), parents=("public.events",))


def a_schema(version: int = 18) -> Schema:
    """The catalog on a server of that major version."""
    relations = {relation.name: relation for relation in (USERS, ORGS, EVENTS, PART)}
    return Schema(server_version_num=version * 10_000, relations=relations)
