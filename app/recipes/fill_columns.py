"""Split and merge: columns computed from others of the same row are kept right by a trigger while the old rows are filled."""

from typing import Any

from app.analysis.defaults import default_kind
from app.analysis.state import State
from app.recipes.constraints import slug
from app.recipes.draft import Draft
from app.recipes.recipe import Recipe
from app.recipes.rewriting import columns_of, differs, of_row
from app.recipes.site import Site
from app.recipes.sync import sync
from app.sql.deparse import expression_sql
from app.sql.names import quote_identifier as q
from app.sql.tree import Node, find, strings


def _values(site: Site) -> dict[str, Any]:
    """Column -> what an UPDATE sets it to; empty where it does more than that."""
    body = site.body
    if site.statement.kind != "UpdateStmt" or any(name in body for name in ("fromClause", "returningClause", "withClause")):
        return {}
    targets = [item["ResTarget"] for item in body.get("targetList", ())]
    is_simple = all("indirection" not in item and "MultiAssignRef" not in item.get("val", {}) for item in targets)
    return {str(item["name"]): item["val"] for item in targets} if is_simple else {}


def _sources(site: Site) -> tuple[str, ...]:
    found = dict.fromkeys(column for value in _values(site).values() for column in columns_of(value))
    return tuple(name for name in found if name not in _values(site))


def _is_steady(site: Site) -> bool:
    """True where the values and the condition depend on nothing but the row."""
    values, body = _values(site), site.body
    parts = [*values.values(), body.get("whereClause", {})]
    alias = body["relation"].get("alias", {}).get("aliasname")
    mine = {alias, site.bare} if alias else {site.bare}
    for part in parts:
        fields = [strings(found.get("fields")) for found in find({"node": part}, "ColumnRef")]
        if any(found for found in find({"node": part}, "SubLink", "ParamRef", "SetToDefault")):
            return False
        if any(len(names) not in {1, 2} or (len(names) == 2 and names[0] not in mine) for names in fields):  # noqa: PLR2004  # t.col
            return False
        if default_kind(part, State(schema=site.schema)) != "steady":
            return False
    return True


def _applies(site: Site) -> bool:
    return (
        site.relation is not None
        and site.there.kind in {"table", "partitioned table"}
        and bool(_values(site))
        and bool(_sources(site))
        and not set(_sources(site)) & set(_values(site))
        and not any(set(columns_of(value)) & set(_values(site)) for value in _values(site).values())
        and _is_steady(site)
    )


def _bare(node: Node) -> str:
    """An expression whose columns are named without a table."""

    def only_columns(found: Any) -> Any:
        if isinstance(found, list):
            return [only_columns(item) for item in found]
        if not isinstance(found, dict):
            return found
        return {
            key: {**value, "fields": value["fields"][-1:]} if key == "ColumnRef" else only_columns(value)
            for key, value in found.items()
        }

    return expression_sql(only_columns(node))


def _only_rows(site: Site) -> str:
    """The UPDATE's own condition for the trigger; one that asks whether a row is done is none."""
    where = site.body.get("whereClause")
    if where is None or set(columns_of(where)) & set(_values(site)):
        return ""
    return f" AND ({expression_sql(of_row(where, 'new'))})"


def _is_open(site: Site, name: str, value: str) -> str:
    """The condition of a row that is still to be done; a column that the catalog does not know yet is empty at first."""
    known = site.column(name)
    if known is None:
        return f"({q(name)} IS NULL AND ({value}) IS NOT NULL)"
    return differs(q(name), f"({value})::{known.type}", known.type)


def _build(site: Site) -> Draft:
    draft, values, sources = Draft(), _values(site), _sources(site)
    what = " and ".join(values)
    s, are, stand = ("s", "is", "stands for itself") if len(values) == 1 else ("", "are", "stand for themselves")
    body = "\n".join(f"NEW.{q(name)} := {expression_sql(of_row(value, 'new'))};" for name, value in values.items())
    empty = " AND ".join(f"NEW.{q(name)} IS NULL" for name in values)
    moved = " OR ".join(f"NEW.{q(name)}::text IS DISTINCT FROM OLD.{q(name)}::text" for name in sources)
    alone = " AND ".join(f"NEW.{q(name)}::text IS NOT DISTINCT FROM OLD.{q(name)}::text" for name in values)
    only = _only_rows(site)
    followed = sync(
        site, site.name(*values, "follow"), body, [("INSERT", empty + only), ("UPDATE", f"({moved}) AND {alone}{only}")]
    )
    draft.sql(
        "migrate",
        f"{slug(*values)}-follow",
        f"{what} follow{s} what is written into {' and '.join(sources)}",
        *followed.create,
        undo=followed.drop,
    )
    written = " OR ".join(_is_open(site, name, _bare(value)) for name, value in values.items())
    condition = f"({_bare(site.body['whereClause'])}) AND ({written})" if "whereClause" in site.body else written
    draft.backfill(
        "migrate",
        f"fill-{slug(*values)}",
        f"Fill {what} in the rows that were there before",
        table=site.table,
        assign=", ".join(f"{q(name)} = {_bare(value)}" for name, value in values.items()),
        where=condition,
        reason="The columns it read still have their values.",
    )
    query = f"SELECT count(*) FROM {site.table} WHERE {condition}"  # noqa: S608 - the plan's own expression
    draft.nothing_found("migrate", f"{slug(*values)}-right", f"{what} {are} right in every row", query)
    draft.gate(
        "contract",
        f"{slug(*values)}-written",
        f"The application writes {what} itself",
        f"A release that reads and writes {what} of {site.there.name} is live everywhere, and none that writes only "
        f"{' and '.join(sources)}.",
    )
    draft.sql("contract", f"{slug(*values)}-alone", f"{what} {stand}", *followed.drop, undo=followed.create)
    return draft


FILL_COLUMNS = Recipe(
    id="fill-columns",
    title="Keep the columns right by a trigger, fill them in batches",
    sentence="For split and merged columns: a trigger follows the old ones, the old rows are filled in batches, then it goes.",
    applies=_applies,
    build=_build,
)
