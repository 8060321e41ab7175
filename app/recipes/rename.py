"""G9: both names work, through a view that takes reads and writes, until no release uses the old one."""

from app.catalog.records import Relation
from app.recipes.constraints import slug
from app.recipes.draft import Draft
from app.recipes.recipe import Recipe
from app.recipes.site import Site
from app.sql.inverse.grants import owner_and_grants
from app.sql.names import quote_identifier as q

#: from this version on a view can act with the rights of who asks
_INVOKER = 15
_BOTH = "In the same transaction a view by the old name takes over, for reads and for writes."


def _stands_behind_view(site: Site) -> bool:
    """True where a view can stand in for the table without anybody noticing."""
    table = site.there
    own_rights = any(item.startswith(f"column {table.name}.") for item in site.schema.decorated)
    in_tree = bool(table.parents) or any(table.name in relation.parents for relation in site.schema.relations.values())
    hides = table.row_security and site.version < _INVOKER
    return table.kind in {"table", "partitioned table"} and not (own_rights or hides or (in_tree and table.kind == "table"))


def _applies_column(site: Site) -> bool:
    body = site.body
    if site.statement.kind != "RenameStmt" or body.get("renameType") != "OBJECT_COLUMN" or site.relation is None:
        return False
    known = site.column(str(body.get("subname"))) is not None and site.column(str(body.get("newname"))) is None
    return body.get("relationType") == "OBJECT_TABLE" and known and _stands_behind_view(site)


def _applies_table(site: Site) -> bool:
    is_rename = site.statement.kind == "RenameStmt" and site.body.get("renameType") == "OBJECT_TABLE"
    return is_rename and site.relation is not None and _stands_behind_view(site)


def _view(site: Site, name: str, base: str, *more: str) -> tuple[str, ...]:
    """A view of a table under that name, with the table's owner and rights."""
    columns = ", ".join((*(q(column.name) for column in site.there.columns), *more))
    options = " WITH (security_invoker = true)" if site.version >= _INVOKER else ""
    like: Relation = site.there
    select = f"SELECT {columns} FROM {site.in_schema(base)}"  # noqa: S608 - quoted identifiers in a plan's step
    rights = owner_and_grants(like, "VIEW") if name == site.bare else []
    return (f"CREATE VIEW {site.in_schema(name)}{options} AS {select}", *rights)


def _build_column(site: Site) -> Draft:
    draft, table, bare = Draft(), site.table, site.bare
    old, new = str(site.body["subname"]), str(site.body["newname"])
    base = site.name("base")
    both = _view(site, bare, base, f"{q(old)} AS {q(new)}")
    to_base, to_name = (
        f"ALTER TABLE {table} RENAME TO {q(base)}",
        f"ALTER TABLE {site.in_schema(base)} RENAME TO {q(bare)}",
    )
    drop = f"DROP VIEW {table}"
    draft.sql(
        "expand",
        f"{slug(bare, new)}-both",
        f"{old} answers to {new}, too",
        to_base,
        *both,
        undo=(drop, to_name),
        reason="The view holds no rows: what was written through it is in the table.",
    )
    draft.answer(f"{slug(bare, new)}-both", _BOTH, "rename-breaks-readers")
    draft.gate(
        "contract",
        f"{slug(bare, old)}-unused",
        f"Nothing uses {old} any more",
        f"A release that says {new} instead of {old} is live everywhere. Until now both names work, for reads and for writes.",
    )
    draft.sql(
        "contract",
        f"{slug(bare, new)}-only",
        f"{new} is the only name",
        drop,
        f"ALTER TABLE {site.in_schema(base)} RENAME COLUMN {q(old)} TO {q(new)}",
        to_name,
        undo=(
            f"ALTER TABLE {table} RENAME COLUMN {q(new)} TO {q(old)}",
            to_base,
            *both,
        ),
    )
    draft.answer(
        f"{slug(bare, new)}-only", "The gate before it says that nothing uses the old name any more.", "rename-breaks-readers"
    )
    return draft


def _build_table(site: Site) -> Draft:
    draft, old, new = Draft(), site.bare, str(site.body["newname"])
    view, drop = _view(site, old, new), f"DROP VIEW {site.table}"
    draft.sql(
        "expand",
        f"{slug(old, new)}-both",
        f"{new}, and a view by the old name",
        f"ALTER TABLE {site.table} RENAME TO {q(new)}",
        *view,
        undo=(drop, f"ALTER TABLE {site.in_schema(new)} RENAME TO {q(old)}"),
        reason="The view holds no rows: what was written through it is in the table.",
    )
    draft.answer(f"{slug(old, new)}-both", _BOTH, "rename-breaks-readers")
    draft.gate(
        "contract",
        f"{slug(old)}-unused",
        f"Nothing uses {old} any more",
        f"A release that says {new} instead of {old} is live everywhere. Until now both names work, for reads and for writes.",
    )
    draft.sql("contract", f"{slug(old)}-gone", f"Drop the old name {old}", drop, undo=view)
    return draft


RENAME_COLUMN = Recipe(
    id="rename-column",
    title="Let both names work until the application has moved",
    sentence="A view with both names stands in for the table until the new release is live; then it is renamed.",
    applies=_applies_column,
    build=_build_column,
)
RENAME_TABLE = Recipe(
    id="rename-table",
    title="Let both names work until the application has moved",
    sentence="Renames the table and leaves a view by the old name, for reads and writes, until nobody uses it.",
    applies=_applies_table,
    build=_build_table,
)
