"""G3: another type by a second column: kept right by a trigger, filled in batches, put in place by renaming."""

from typing import Any

from app.analysis.defaults import default_kind
from app.analysis.state import State
from app.analysis.type_change import judge
from app.catalog.records import Column
from app.recipes.add_constraint import is_plain
from app.recipes.attached import Attached
from app.recipes.constraints import PROVEN, columns_named, slug
from app.recipes.draft import Draft
from app.recipes.recipe import Recipe
from app.recipes.rewriting import columns_of, differs, of_row
from app.recipes.site import Site
from app.recipes.swap import swap
from app.recipes.sync import Sync, sync
from app.sql.deparse import expression_sql, type_sql
from app.sql.inverse.chosen_names import object_name
from app.sql.names import from_strings, from_type_name
from app.sql.names import quote_identifier as q
from app.sql.tree import Node

_ORDINARY = {"primary key", "unique", "foreign key", "check", "not null"}


def _definition(site: Site) -> Node:
    is_change = site.command.get("subtype") == "AT_AlterColumnType"
    found: Node = site.command.get("def", {}).get("ColumnDef", {}) if is_change else {}
    return found


def _column(site: Site) -> Column | None:
    return site.column(str(site.command.get("name", "")))


def _using(site: Site, column: str) -> Any:
    """How the new value is computed: USING as written, or a cast."""
    definition = _definition(site)
    plain = {"ColumnRef": {"fields": [{"String": {"sval": column}}]}}
    return definition.get("raw_default") or {"TypeCast": {"arg": plain, "typeName": definition["typeName"]}}


def _applies(site: Site) -> bool:
    definition, column = _definition(site), _column(site) if site.relation is not None else None
    if not definition or column is None or not is_plain(site) or site.there.parents or column.generated:
        return False
    new = from_type_name(definition["typeName"])
    change = judge(column.type, new, using=definition.get("raw_default"), column=column.name)
    if change.work == "nothing" and not change.rebuilds_indexes:
        return False
    using = _using(site, column.name)
    is_own = set(columns_of(using)) <= {item.name for item in site.there.columns}
    return is_own and default_kind(using, State(schema=site.schema)) == "steady" and _is_movable(site, column)


def _is_movable(site: Site, column: Column) -> bool:
    """True where nothing hangs on the column that would have to be made again by hand."""
    name, table = column.name, site.there
    settings = column.statistics_target is not None or column.storage or column.compression
    hangs = (
        any(name in item.columns for item in table.dependents if item.kind != "foreign key")
        # conservative: a mention is enough
        or any(
            name in text
            for text in (*(item.definition for item in table.triggers), *(item.definition for item in table.policies))
        )
        or any(name in item.depends_on for item in table.statistics)
        or any(index.is_replica_identity or not index.is_valid for index in table.indexes if name in index.depends_on)
        or any(name in item.columns and item.kind not in _ORDINARY for item in table.constraints)
        or any(name in item.columns and item.comment is not None for item in table.constraints)
        or any(
            item.references == table.name and name in item.referenced_columns
            for item in table.constraints
            if name in item.columns
        )
        or any(other.generated and name in columns_named(other.default) for other in table.columns)
        or f"column {table.name}.{name}" in site.schema.decorated
    )
    return not settings and not hangs and (not column.identity or column.owned_sequence in site.schema.sequences)


class _Change:
    """Names and expressions of one change of type."""

    def __init__(self, site: Site) -> None:
        column = _column(site)
        if column is None:
            raise ValueError("The column is not known.")
        self.site, self.column = site, column
        self.name = column.name
        self.new, self.old = object_name(self.name, None, "new"), object_name(self.name, None, "old")
        self.type = type_sql(_definition(site)["typeName"])
        using = _using(site, self.name)
        # assigned bare: PostgreSQL refuses there what an explicit cast would cut off in silence
        assigned = _definition(site).get("raw_default") or using["TypeCast"]["arg"]
        self.assigned, self.assigned_new = expression_sql(assigned), expression_sql(of_row(assigned, "new"))
        self.value = f"({expression_sql(using)})::{self.type}"
        self.of_new = f"({expression_sql(of_row(using, 'new'))})::{self.type}"
        self.is_plain_cast = "raw_default" not in _definition(site) or (
            set(columns_of(using)) == {self.name} and "TypeCast" in using
        )
        self.attached = Attached(site=site, column=column)

    def collation(self) -> str:
        """COLLATE as written, or as the old column has it where both types are texts."""
        clause = _definition(self.site).get("collClause")
        if clause:
            return " COLLATE " + ".".join(q(part) for part in from_strings(clause["collname"]).split("."))
        return ""

    def forward(self) -> Sync:
        """The new column follows the old one."""
        name = self.site.name(self.name, "sync")
        body = f"NEW.{q(self.new)} := {self.assigned_new};"
        when = differs(f"NEW.{q(self.new)}", self.of_new, self.type)
        return sync(self.site, name, body, [("INSERT OR UPDATE", when)])

    def backward(self) -> Sync:
        """After the swap the old column follows the new one, as far as its type can; a write never fails for that."""
        old, c = q(self.old), q(self.name)
        body = f"BEGIN\nNEW.{old} := NEW.{c};\nEXCEPTION WHEN data_exception OR cannot_coerce THEN NEW.{old} := NULL;\nEND;"
        moved = differs(f"NEW.{c}", f"OLD.{c}", self.type)
        return sync(self.site, self.site.name(self.name, "back"), body, [("INSERT", f"NEW.{c} IS NOT NULL"), ("UPDATE", moved)])


def _build(site: Site) -> Draft:
    draft, change = Draft(), _Change(site)
    name, new, table = change.name, change.new, site.table
    forward = change.forward()
    _what_fits(draft, change)
    draft.sql(
        "expand",
        f"add-{slug(new)}",
        f"Add {new}, which follows {name}",
        f"ALTER TABLE {table} ADD COLUMN {q(new)} {change.type}{change.collation()}",
        *forward.create,
        undo=(*forward.drop, f"ALTER TABLE {table} DROP COLUMN IF EXISTS {q(new)}"),
        reason=f"{name} has every value.",
    )
    condition = differs(q(new), change.value, change.type)
    draft.backfill(
        "migrate",
        f"fill-{slug(new)}",
        f"Fill {new} in the rows that were there before",
        table=table,
        assign=f"{q(new)} = {change.assigned}",
        where=condition,
        reason=f"The values go with {new}, in add-{slug(new)}.",
    )
    for piece in change.attached.pieces(new):
        reason = PROVEN if piece.is_proof else ""
        draft.sql("migrate", f"{slug(new, piece.id)}", piece.title, piece.create, undo=piece.undo, reason=reason)
    query = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608 - the plan's own expression
    draft.nothing_found("migrate", f"{slug(new)}-right", f"{new} is right in every row", query)
    _contract(draft, change)
    return draft


def _what_fits(draft: Draft, change: _Change) -> None:
    """Before a type that holds less: nothing that does not fit is there, and nothing like it comes."""
    site, name = change.site, change.name
    new = from_type_name(_definition(site)["typeName"])
    if not judge(change.column.type, new, using=_definition(site).get("raw_default"), column=name).narrows:
        return
    draft.gate(
        "expand",
        f"{slug(name)}-fits",
        f"The application writes only what fits {change.type}",
        f"No release that runs writes a value into {name} of {site.there.name} that {change.type} can't hold: it is refused from "
        "the next step on.",
    )
    if new.startswith("character"):
        condition = f"({q(name)})::{change.type}::text IS DISTINCT FROM ({q(name)})::text"
        query = f"SELECT count(*) FROM {site.table} WHERE {condition}"  # noqa: S608 - quoted identifiers in a plan's step
        draft.nothing_found("expand", f"{slug(name)}-all-fit", f"Every value of {name} fits", query)


def _contract(draft: Draft, change: _Change) -> None:
    name, site = change.name, change.site
    draft.gate(
        "contract",
        f"{slug(name)}-both-types",
        f"The application takes {name} in both types",
        f"A release is live everywhere that reads and writes {name} of {site.there.name} as {change.column.type} and as "
        f"{change.type}. Statements that its connections have prepared must be prepared again after the next step.",
    )
    _swap(draft, change)
    draft.gate(
        "contract",
        f"{slug(name)}-settled",
        f"{name} is right in its new type",
        "Errors and latency have been as before for long enough: an hour at least. After this there is no way back.",
    )
    back = change.backward() if change.is_plain_cast else None
    draft.sql(
        "contract",
        f"drop-{slug(change.old)}",
        f"Drop {change.old}",
        *(back.drop if back else ()),
        f"ALTER TABLE {site.table} DROP COLUMN {q(change.old)}",
        grade="irreversible",
        reason=f"The values in the old type are gone. Change {name} back with a plan of its own.",
    )


def _swap(draft: Draft, change: _Change) -> None:
    name, attached, forward = change.name, change.attached, change.forward()
    statements = (*forward.drop, *swap(attached, coming=change.new, leaving=change.old))
    title, step_id = f"{change.new} becomes {name}", f"swap-{slug(name)}"
    reason = f"In the same transaction {change.new} takes the name, with its indexes and constraints built and proven before."
    rules = ["unique-constraint-drop"] if attached.keys else []
    rules += ["index-drop"] if any(index.constraint is None for index in attached.indexes) else []
    draft.answer(step_id, reason, "rename-breaks-readers", *rules)
    if not change.is_plain_cast:
        reason = f"Nothing tells how a new value of {name} becomes an old one: {change.old} keeps what it had before this step."
        draft.sql("contract", step_id, title, *statements, grade="irreversible", reason=reason)
        return
    back = change.backward()
    draft.sql(
        "contract",
        step_id,
        title,
        *statements,
        *back.create,
        undo=(
            *(piece.create for piece in attached.pieces(change.old)),
            *back.drop,
            *swap(attached, coming=change.old, leaving=change.new),
            *forward.create,
        ),
        grade="loses-new-writes",
        reason=f"Values that {change.column.type} can't hold are lost; the constraints are proven again under a lock.",
    )


CHANGE_TYPE = Recipe(
    id="change-type",
    title="Change the type through a second column",
    sentence="A second column follows the first, is filled in batches, gets its indexes and constraints, and takes its place.",
    applies=_applies,
    build=_build,
)
