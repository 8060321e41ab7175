"""Rows that a CHECK refuses, of a table or of a domain, and constraints that are validated now."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.probes.columns import nulls
from app.analysis.probes.expressions import refusal, with_value, written
from app.analysis.probes.keys import missing_parents
from app.analysis.probes.probe import Probe
from app.analysis.probes.rows import lacks, select, target_relation
from app.analysis.tables import Table, columns_in, parsed_constraint
from app.catalog.records import Domain
from app.sql.tree import Node, strings


def check(context: Context) -> Iterator[Probe]:
    """ADD CHECK, with or without NOT VALID."""
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        if constraint.get("contype") == "CONSTR_CHECK" and constraint.get("is_enforced"):
            later = "VALIDATE fails, and any UPDATE of them fails from now on"
            effect = later if constraint.get("skip_validation") else "the constraint can't be added"
            yield from _violations(context, table, constraint.get("raw_expr"), effect=effect)


def validate(context: Context) -> Iterator[Probe]:
    """VALIDATE of a constraint that the target has; one that the plan adds was asked about there."""
    for table, command in context.commands("AT_ValidateConstraint"):
        relation = target_relation(context.state.schema, table.name)
        known = relation.constraint(str(command.get("name"))) if relation else None
        if known is None or known.is_validated:
            continue
        constraint = parsed_constraint(known.definition)
        if known.kind == "check":
            yield from _violations(context, table, constraint.get("raw_expr"), effect="VALIDATE fails")
        elif known.kind == "foreign key" and "pktable" in constraint:
            yield from missing_parents(context, table, constraint, effect="VALIDATE fails")
        elif known.kind == "not null":
            yield from nulls(context, table, known.columns, effect="VALIDATE fails")


def _violations(context: Context, table: Table, expression: Node | None, *, effect: str) -> Iterator[Probe]:
    relation = target_relation(context.state.schema, table.name)
    if relation is None or expression is None:
        return
    columns = sorted(columns_in(expression))
    new, text = lacks(relation, columns), written(expression)
    why_not = f"the plan itself makes {new}" if new else refusal(expression)
    if text is None:
        why_not = why_not or "its expression can't be written again"
    yield Probe(
        kind="check",
        relation=relation.name,
        found=f"{{n}} of {relation.name} violate {text or 'the condition'}",
        effect=effect,
        # a CHECK takes what is true and what is NULL
        question=None if why_not else select(relation, columns, f"({text}) IS FALSE"),
        why_not=why_not,
    )


def domain(context: Context) -> Iterator[Probe]:
    """ALTER DOMAIN that checks the values that are there."""
    if context.kind != "AlterDomainStmt":
        return
    body, schema = context.body, context.state.schema
    bare = (strings(body.get("typeName")) or ("",))[-1]
    found = [each for each in (schema.domains.values() if schema else ()) if each.name.rpartition(".")[2] == bare]
    for each in found[:1]:
        for name in each.used_by:
            table = context.state.table(name)
            for column in table.columns.values():
                if (column.type or "").rpartition(".")[2] == bare:
                    yield from _domain_values(context, table, column.name, each)


def _domain_values(context: Context, table: Table, column: str, known: Domain) -> Iterator[Probe]:
    body = context.body
    if body.get("subtype") == "O":
        yield from nulls(context, table, [column], effect="SET NOT NULL of the domain fails")
    elif body.get("subtype") == "C" and "raw_expr" in body.get("def", {}).get("Constraint", {}):
        constraint = body["def"]["Constraint"]
        effect = "VALIDATE of the domain fails" if constraint.get("skip_validation") else "the domain can't be changed"
        yield from _violations(context, table, with_value(constraint["raw_expr"], column), effect=effect)
    elif body.get("subtype") == "V":
        name = str(body.get("name"))
        definition = next((found.definition for found in known.constraints if found.name == name and not found.is_validated), "")
        expression = parsed_constraint(definition).get("raw_expr") if definition else None
        if expression is not None:
            yield from _violations(context, table, with_value(expression, column), effect="VALIDATE of the domain fails")


def domain_checks(context: Context, table: Table, column: str, type_name: str) -> Iterator[Probe]:
    """Values of a column that the checks of a domain refuse, where the column is to have that type."""
    schema = context.state.schema
    relation = target_relation(schema, table.name)
    bare = type_name.rpartition(".")[2]
    known = next((each for each in schema.domains.values() if each.name.rpartition(".")[2] == bare), None) if schema else None
    if known is None or relation is None or relation.column(column) is None:
        return
    if known.not_null:
        yield from nulls(context, table, [column], effect="the type can't be changed")
    for constraint in known.constraints:
        expression = parsed_constraint(constraint.definition).get("raw_expr")
        if constraint.kind == "check" and expression is not None:
            yield from _violations(context, table, with_value(expression, column), effect="the type can't be changed")
