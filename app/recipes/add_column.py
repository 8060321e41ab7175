"""G1: a column whose default is computed for every row, or that brings constraints along: first the column, then the rest."""

from typing import Any

from app.analysis.defaults import default_kind
from app.analysis.state import State
from app.catalog.records import Column
from app.recipes.add_constraint import is_plain, is_plain_key
from app.recipes.constraints import check, foreign_key, not_null, referenced, slug, unique
from app.recipes.draft import Draft
from app.recipes.recipe import Recipe
from app.recipes.site import Site
from app.sql.deparse import alter_table_sql, expression_sql
from app.sql.names import SERIAL_TYPES, from_type_name, raw_type
from app.sql.names import quote_identifier as q
from app.sql.tree import Node

_KNOWN = {"CONSTR_DEFAULT", "CONSTR_NOTNULL", "CONSTR_NULL", "CONSTR_CHECK", "CONSTR_FOREIGN", "CONSTR_UNIQUE", "CONSTR_PRIMARY"}
_PROVEN_LATER = ("CONSTR_CHECK", "CONSTR_FOREIGN", "CONSTR_UNIQUE", "CONSTR_PRIMARY")


def _definition(site: Site) -> Node:
    found: Node = site.command.get("def", {}).get("ColumnDef", {}) if site.command.get("subtype") == "AT_AddColumn" else {}
    return found


def _constraints(definition: Node) -> dict[str, Node]:
    return {
        item["Constraint"]["contype"]: item["Constraint"] for item in definition.get("constraints", ()) if "Constraint" in item
    }


def _is_moving(site: Site, found: dict[str, Node]) -> bool:
    """True for a default that is computed row by row."""
    default = found.get("CONSTR_DEFAULT")
    return default is not None and default_kind(default["raw_expr"], State(schema=site.schema)) != "steady"


def _applies(site: Site) -> bool:
    definition = _definition(site)
    found = _constraints(definition)
    if not definition or site.command.get("missing_ok") or set(found) - _KNOWN or not is_plain(site):
        return False
    if len(found) != len(definition.get("constraints", ())) or raw_type(definition["typeName"]) in SERIAL_TYPES:
        return False
    if not ("CONSTR_DEFAULT" in found or not {"CONSTR_NOTNULL", "CONSTR_PRIMARY"} & set(found)):
        return False
    if not all(_is_possible(site, definition, found, kind) for kind in _PROVEN_LATER if kind in found):
        return False
    return _is_moving(site, found) or any(kind in found for kind in _PROVEN_LATER)


def _is_possible(site: Site, definition: Node, found: dict[str, Node], kind: str) -> bool:
    constraint = _for_table(definition, found, kind)
    if kind == "CONSTR_CHECK":
        return bool(constraint.get("is_enforced", True))
    if kind == "CONSTR_FOREIGN":
        return constraint.get("fk_matchtype") != "f" and referenced(site, constraint) is not None
    return is_plain_key(site, constraint)


def _for_table(definition: Node, found: dict[str, Node], kind: str) -> dict[str, Any]:
    """A column's constraint as the table's."""
    column = [{"String": {"sval": definition["colname"]}}]
    return {**found[kind], **({} if kind == "CONSTR_CHECK" else {"fk_attrs" if kind == "CONSTR_FOREIGN" else "keys": column})}


def _build(site: Site) -> Draft:
    draft, definition = Draft(), _definition(site)
    found, column = _constraints(definition), str(definition["colname"])
    is_moving = _is_moving(site, found)
    kept = () if is_moving else ("CONSTR_DEFAULT", "CONSTR_NOTNULL")
    plain = {**definition, "constraints": [{"Constraint": item} for kind, item in found.items() if kind in kept]}
    statements = [alter_table_sql(site.range_var, {"subtype": "AT_AddColumn", "def": {"ColumnDef": plain}})]
    value = expression_sql(found["CONSTR_DEFAULT"]["raw_expr"]) if is_moving else ""
    if is_moving:
        statements.append(f"ALTER TABLE {site.table} ALTER COLUMN {q(column)} SET DEFAULT {value}")
    draft.sql(
        "expand",
        f"add-{slug(column)}",
        f"Add {column}, with its default for new rows" if is_moving else f"Add {column}",
        *statements,
        undo=(f"ALTER TABLE {site.table} DROP COLUMN {q(column)}",),
        grade="loses-new-writes",
        reason=f"What was written into {column} since goes with it.",
    )
    if is_moving:
        draft.backfill(
            "migrate",
            f"fill-{slug(column)}",
            f"Fill {column} of the rows that were there before",
            table=site.table,
            assign=f"{q(column)} = {value}",
            where=f"{q(column)} IS NULL",
            reason=f"The values go with the column, in add-{slug(column)}.",
        )
    site = site.with_column(Column(name=column, type=from_type_name(definition["typeName"])))
    _add_constraints(draft, site, definition, found, is_moving=is_moving)
    return draft


def _add_constraints(draft: Draft, site: Site, definition: Node, found: dict[str, Node], *, is_moving: bool) -> None:
    if is_moving and "CONSTR_NOTNULL" in found:
        not_null(draft, "migrate", site, str(definition["colname"]), name=found["CONSTR_NOTNULL"].get("conname"))
    for kind, steps in (
        ("CONSTR_CHECK", check),
        ("CONSTR_UNIQUE", unique),
        ("CONSTR_PRIMARY", unique),
        ("CONSTR_FOREIGN", foreign_key),
    ):
        if kind in found:
            steps(draft, "migrate", site, _for_table(definition, found, kind))


ADD_COLUMN = Recipe(
    id="add-column-default",
    title="Add the column bare, fill and constrain it beside the traffic",
    sentence="Adds the column in milliseconds, fills the old rows in small batches, then adds each constraint without a scan.",
    applies=_applies,
    build=_build,
)
