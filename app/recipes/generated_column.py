"""G4: a stored generated column rewrites the table; a virtual one does not, and a trigger with a backfill does not either."""

from typing import Any

from app.analysis.defaults import default_kind
from app.analysis.state import State
from app.recipes.add_constraint import is_plain
from app.recipes.constraints import slug
from app.recipes.draft import Draft
from app.recipes.recipe import Recipe
from app.recipes.rewriting import differs, of_row
from app.recipes.site import Site
from app.recipes.sync import sync
from app.sql.deparse import alter_table_sql, expression_sql, type_sql
from app.sql.names import from_strings
from app.sql.names import quote_identifier as q
from app.sql.tree import Node, find

#: the first version with virtual generated columns
_VIRTUAL = 18


def _definition(site: Site) -> Node:
    found: Node = site.command.get("def", {}).get("ColumnDef", {}) if site.command.get("subtype") == "AT_AddColumn" else {}
    return found


def _expression(site: Site) -> Any:
    """The expression of the only constraint, where that is GENERATED ... STORED."""
    constraints = _definition(site).get("constraints", ())
    found = constraints[0].get("Constraint", {}) if len(constraints) == 1 else {}
    is_stored = found.get("contype") == "CONSTR_GENERATED" and found.get("generated_kind") == "s"
    return found.get("raw_expr") if is_stored and not site.command.get("missing_ok") else None


def _applies(site: Site) -> bool:
    return _expression(site) is not None and is_plain(site)


def _applies_virtual(site: Site) -> bool:
    if not _applies(site) or site.version < _VIRTUAL:
        return False
    own = {signature.partition("(")[0].rpartition(".")[2] for signature in site.schema.functions}
    called = {from_strings(call.get("funcname", ())).rpartition(".")[2] for call in find(_expression(site), "FuncCall")}
    return not own & called and default_kind(_expression(site), State(schema=site.schema)) == "steady"


def _build(site: Site) -> Draft:
    draft, definition, expression = Draft(), _definition(site), _expression(site)
    column, type_name = str(definition["colname"]), type_sql(definition["typeName"])
    value, of_new = expression_sql(expression), f"({expression_sql(of_row(expression, 'new'))})::{type_name}"
    followed = sync(
        site,
        site.name(column, "computed"),
        f"NEW.{q(column)} := {expression_sql(of_row(expression, 'new'))};",
        [("INSERT OR UPDATE", differs(f"NEW.{q(column)}", of_new, type_name))],
    )
    plain = {**definition, "constraints": []}
    draft.sql(
        "expand",
        f"add-{slug(column)}",
        f"Add {column}, computed by a trigger for every row that is written",
        alter_table_sql(site.range_var, {"subtype": "AT_AddColumn", "def": {"ColumnDef": plain}}),
        *followed.create,
        undo=(*followed.drop, f"ALTER TABLE {site.table} DROP COLUMN {q(column)}"),
        reason="Its values are computed from other columns.",
    )
    condition = differs(q(column), f"({value})::{type_name}", type_name)
    draft.backfill(
        "migrate",
        f"fill-{slug(column)}",
        f"Compute {column} for the rows that were there before",
        table=site.table,
        assign=f"{q(column)} = {value}",
        where=condition,
        reason=f"The values go with the column, in add-{slug(column)}.",
    )
    query = f"SELECT count(*) FROM {site.table} WHERE {condition}"  # noqa: S608 - the plan's own expression
    draft.nothing_found("migrate", f"{slug(column)}-right", f"{column} is right in every row", query)
    return draft


def _build_virtual(site: Site) -> Draft:
    draft, definition = Draft(), dict(_definition(site))
    constraint = {**definition["constraints"][0]["Constraint"], "generated_kind": "v"}
    virtual = {**definition, "constraints": [{"Constraint": constraint}]}
    column = str(definition["colname"])
    draft.sql(
        "expand",
        f"add-{slug(column)}",
        f"Add {column}, computed when it is read",
        alter_table_sql(site.range_var, {"subtype": "AT_AddColumn", "def": {"ColumnDef": virtual}}),
        undo=(f"ALTER TABLE {site.table} DROP COLUMN {q(column)}",),
        reason="Its values are computed from other columns.",
    )
    return draft


GENERATED_COLUMN = Recipe(
    id="generated-column",
    title="Compute the column by a trigger, fill it in batches",
    sentence="Adds a plain column that a trigger keeps right, and computes the old rows in small batches: no rewrite.",
    applies=_applies,
    build=_build,
)
GENERATED_COLUMN_VIRTUAL = Recipe(
    id="generated-column-virtual",
    title="Make the column virtual",
    sentence="A virtual column is computed when it is read: nothing is written. It can't be indexed.",
    applies=_applies_virtual,
    build=_build_virtual,
)
