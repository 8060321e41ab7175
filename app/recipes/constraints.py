"""Steps that recipes share: each constraint is first shown to hold, then added without a scan, then proven beside the traffic."""

from typing import Any

from app.analysis.tables import parsed_constraint
from app.catalog.records import Relation
from app.plan.model import PhaseName
from app.recipes.draft import Draft
from app.recipes.rewriting import columns_of
from app.recipes.site import Site, range_var
from app.sql.deparse import alter_table_sql, expression_sql, sql_of
from app.sql.inverse.grants import relation_sql
from app.sql.names import from_range_var
from app.sql.names import quote_identifier as q
from app.sql.tree import Node, strings

#: from this version on NOT NULL is a constraint that can be NOT VALID
NAMED_NOT_NULL = 18
PROVEN = "It proves what holds already; there is nothing to undo."


def columns_named(expression: str | None) -> tuple[str, ...]:
    """The columns in an expression as the catalog prints it."""
    node = parsed_constraint(f"CHECK (({expression}))").get("raw_expr") if expression else None
    return columns_of(node) if node else ()


def slug(*names: str) -> str:
    """Names as a part of a step's id."""
    return "-".join("".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name) for name in names)


def add_constraint(site: Site, constraint: Node) -> str:
    """ALTER TABLE ... ADD with a Constraint's body."""
    return alter_table_sql(site.range_var, {"subtype": "AT_AddConstraint", "def": {"Constraint": dict(constraint)}})


def not_valid(constraint: Node, name: str) -> dict[str, Any]:
    """The same constraint under that name, NOT VALID."""
    kept = {key: value for key, value in constraint.items() if key not in {"initially_valid", "conname"}}
    return {**kept, "conname": name, "skip_validation": True}


def prove(draft: Draft, phase: PhaseName, site: Site, name: str, step_id: str) -> None:
    """VALIDATE, which reads the table while others read and write."""
    draft.sql(phase, step_id, f"Prove {name}", f"ALTER TABLE {site.table} VALIDATE CONSTRAINT {q(name)}", reason=PROVEN)


def not_null(draft: Draft, phase: PhaseName, site: Site, column: str, *, name: str | None = None) -> None:
    """G2: NOT NULL on a column that holds no NULL any more, without a scan under a lock."""
    table, c = site.table, q(column)
    name = name or site.named({"contype": "CONSTR_NOTNULL", "keys": [{"String": {"sval": column}}]})
    as_named = site.version >= NAMED_NOT_NULL
    definition = f"NOT NULL {c}" if as_named else f"CHECK ({c} IS NOT NULL)"
    draft.sql(
        phase,
        f"{slug(column)}-not-null",
        f"New rows need {column}",
        f"ALTER TABLE {table} ADD CONSTRAINT {q(name)} {definition} NOT VALID",
        undo=(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {q(name)}",),
    )
    prove(draft, phase, site, name, f"{slug(column)}-not-null-proven")
    if not as_named:
        draft.sql(
            phase,
            f"{slug(column)}-set-not-null",
            f"Mark {column} as NOT NULL; the proof spares the scan",
            f"ALTER TABLE {table} ALTER COLUMN {c} SET NOT NULL",
            f"ALTER TABLE {table} DROP CONSTRAINT {q(name)}",
            undo=(f"ALTER TABLE {table} ALTER COLUMN {c} DROP NOT NULL",),
        )


def count_nulls(draft: Draft, phase: PhaseName, site: Site, column: str) -> None:
    """A check that the column holds no NULL."""
    query = f"SELECT count(*) FROM {site.table} WHERE {q(column)} IS NULL"  # noqa: S608 - quoted identifiers in a plan's step
    draft.nothing_found(phase, f"{slug(column)}-no-nulls", f"No row is without {column}", query)


def check(draft: Draft, phase: PhaseName, site: Site, constraint: Node) -> None:
    """G5: a CHECK, counted, added, proven."""
    name, condition = site.named(constraint), expression_sql(constraint["raw_expr"])
    query = f"SELECT count(*) FROM {site.table} WHERE NOT ({condition})"  # noqa: S608 - the plan's own expression
    draft.nothing_found(phase, f"{slug(name)}-violators", f"No row violates {name}", query)
    draft.sql(
        phase,
        slug(name),
        f"New rows obey {name}",
        add_constraint(site, not_valid(constraint, name)),
        undo=(f"ALTER TABLE {site.table} DROP CONSTRAINT {q(name)}",),
    )
    prove(draft, phase, site, name, f"{slug(name)}-proven")


def referenced(site: Site, constraint: Node) -> tuple[Relation, tuple[str, ...]] | None:
    """The table and the columns that a foreign key refers to, or None where the catalog does not know them."""
    parent = site.schema.relations.get(site.schema.resolve(from_range_var(constraint["pktable"])) or "")
    if parent is None:
        return None
    primary = next((item.columns for item in parent.constraints if item.kind == "primary key"), ())
    columns = strings(constraint.get("pk_attrs")) or primary
    return (parent, columns) if columns else None


def foreign_key(draft: Draft, phase: PhaseName, site: Site, constraint: Node) -> None:
    """G6: an index on the referring columns where there is none, orphans counted, added, proven."""
    name, columns = site.named(constraint), strings(constraint.get("fk_attrs"))
    found = referenced(site, constraint)
    if found is None:
        raise ValueError("The referenced table is not known.")
    parent, keys = found
    if not _has_index(site.there, columns):
        _index_for_children(draft, site, columns)
    child = " AND ".join(f"c.{q(column)} IS NOT NULL" for column in columns)
    match = " AND ".join(f"p.{q(key)} = c.{q(column)}" for key, column in zip(keys, columns, strict=True))
    there = f"SELECT 1 FROM {relation_sql(parent.name)} AS p WHERE {match}"  # noqa: S608 - quoted identifiers
    query = f"SELECT count(*) FROM {site.table} AS c WHERE {child} AND NOT EXISTS ({there})"  # noqa: S608 - as above
    draft.nothing_found(phase, f"{slug(name)}-orphans", f"No row refers to a missing row of {parent.name}", query)
    qualified = {**not_valid(constraint, name), "pktable": range_var(parent.name)}
    draft.sql(
        phase,
        slug(name),
        f"New rows obey {name}",
        add_constraint(site, qualified),
        undo=(f"ALTER TABLE {site.table} DROP CONSTRAINT {q(name)}",),
    )
    prove(draft, phase, site, name, f"{slug(name)}-proven")


def _has_index(relation: Relation, columns: tuple[str, ...]) -> bool:
    plain = (index for index in relation.indexes if index.is_valid and index.predicate is None)
    return any(set(index.columns[: len(columns)]) == set(columns) for index in plain)


def _index_for_children(draft: Draft, site: Site, columns: tuple[str, ...]) -> None:
    index = site.name(*columns, "idx")
    listed = ", ".join(q(column) for column in columns)
    draft.sql(
        "expand",
        f"{slug(index)}",
        f"Index {index}, so that a change of the referenced row does not scan {site.bare}",
        f"CREATE INDEX CONCURRENTLY {q(index)} ON {site.table} ({listed})",
        undo=(f"DROP INDEX CONCURRENTLY IF EXISTS {site.in_schema(index)}",),
    )


def unique(draft: Draft, phase: PhaseName, site: Site, constraint: Node) -> None:
    """G7: UNIQUE or PRIMARY KEY over an index that was built beside the traffic."""
    name, columns = site.named(constraint), strings(constraint.get("keys"))
    is_primary = constraint.get("contype") == "CONSTR_PRIMARY"
    if is_primary:
        for column in columns:
            known = site.column(column)
            if known is None or not known.not_null:
                count_nulls(draft, phase, site, column)
                not_null(draft, phase, site, column)
    nulls_count = bool(constraint.get("nulls_not_distinct"))
    no_duplicates(draft, phase, site, name, columns, nulls_count=nulls_count)
    including = strings(constraint.get("including"))
    node = {
        "idxname": name,
        "relation": site.range_var,
        "accessMethod": "btree",
        "indexParams": [_element(column) for column in columns],
        **({"indexIncludingParams": [_element(column) for column in including]} if including else {}),
        **({"nulls_not_distinct": True} if nulls_count else {}),
        "unique": True,
        "concurrent": True,
    }
    built(draft, phase, site, name, sql_of({"IndexStmt": node}))
    deferrable = " DEFERRABLE" if constraint.get("deferrable") else ""
    deferrable += " INITIALLY DEFERRED" if constraint.get("initdeferred") else ""
    word = "PRIMARY KEY" if is_primary else "UNIQUE"
    draft.sql(
        phase,
        f"{slug(name)}-constraint",
        f"Make the index the constraint {name}",
        f"ALTER TABLE {site.table} ADD CONSTRAINT {q(name)} {word} USING INDEX {q(name)}{deferrable}",
        undo=(f"ALTER TABLE {site.table} DROP CONSTRAINT {q(name)}",),
    )


def _element(column: str) -> dict[str, Any]:
    return {"IndexElem": {"name": column, "ordering": "SORTBY_DEFAULT", "nulls_ordering": "SORTBY_NULLS_DEFAULT"}}


def no_duplicates(
    draft: Draft, phase: PhaseName, site: Site, name: str, columns: tuple[str, ...], *, nulls_count: bool = False
) -> None:
    """A check that no two rows share the values of these columns."""
    listed = ", ".join(q(column) for column in columns)
    where = "" if nulls_count else " WHERE " + " AND ".join(f"{q(column)} IS NOT NULL" for column in columns)
    groups = f"SELECT 1 FROM {site.table}{where} GROUP BY {listed} HAVING count(*) > 1"  # noqa: S608 - quoted identifiers
    query = f"SELECT count(*) FROM ({groups}) AS d"  # noqa: S608 - as above
    draft.nothing_found(phase, f"{slug(name)}-duplicates", f"No two rows share ({listed})", query)


def built(draft: Draft, phase: PhaseName, site: Site, name: str, create: str) -> None:
    """An index built concurrently, then a look whether it is valid."""
    draft.sql(
        phase,
        f"{slug(name)}-index",
        f"Build {name} beside the traffic",
        create,
        undo=(f"DROP INDEX CONCURRENTLY IF EXISTS {site.in_schema(name)}",),
    )
    valid(draft, phase, site, name)


def valid(draft: Draft, phase: PhaseName, site: Site, name: str) -> None:
    """A check that an index is valid."""
    literal = site.in_schema(name).replace("'", "''")
    query = f"SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = '{literal}'::regclass"  # noqa: S608 - a quoted name
    draft.holds(phase, f"{slug(name)}-valid", f"{name} is whole", query)
