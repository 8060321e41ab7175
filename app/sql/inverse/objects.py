"""Statements on other objects: comments, enums, domains, sequences, policies, grants."""

from collections.abc import Callable

from app.catalog.records import Domain, Sequence
from app.sql.inverse.grants import relation_sql
from app.sql.inverse.known import Known, dotted, find_constraint, literal, parts_of
from app.sql.inverse.restore import create_policy
from app.sql.inverse.undo import Undo, exact, manual, nothing
from app.sql.names import quote_identifier
from app.sql.split import Statement
from app.sql.tree import Node, strings

_CATALOG_ONLY = "How it was before is known to the catalog only."
_COMMENTED = {"OBJECT_TABLE": "TABLE", "OBJECT_VIEW": "VIEW", "OBJECT_MATVIEW": "MATERIALIZED VIEW"}


def undo_comment(statement: Statement, known: Known) -> Undo:
    """COMMENT ON a relation, a column or a constraint."""
    body = statement.body
    kind, parts = str(body.get("objtype")), parts_of(body.get("object", {}))
    if kind == "OBJECT_COLUMN":
        return _comment(known, parts[:-1], "COLUMN", parts[-1])
    if kind == "OBJECT_TABCONSTRAINT":
        return _comment(known, parts[:-1], "CONSTRAINT", parts[-1])
    if kind in _COMMENTED:
        return _comment(known, parts, _COMMENTED[kind], "")
    return manual(f"{_CATALOG_ONLY} There is no rule for this comment.")


def _comment(known: Known, relation_parts: tuple[str, ...], word: str, member: str) -> Undo:
    key = known.key_of(relation_parts[0] if len(relation_parts) > 1 else "", relation_parts[-1])
    if known.is_made("table", key) or known.is_made("column", f"{key}.{member}"):
        return nothing("It goes with what the same plan makes.")
    relation = known.relation(key)
    if relation is None or known.is_stale(key, f"comment {member}"):
        return manual(_CATALOG_ONLY)
    target, before = f"{word} {relation_sql(key)}", relation.comment
    if word == "COLUMN":
        column = relation.column(member)
        if column is None:
            return manual(_CATALOG_ONLY)
        target, before = f"COLUMN {relation_sql(key)}.{quote_identifier(member)}", column.comment
    if word == "CONSTRAINT":
        constraint = find_constraint(relation, member)
        if constraint is None:
            return manual(_CATALOG_ONLY)
        target, before = f"CONSTRAINT {quote_identifier(member)} ON {relation_sql(key)}", constraint.comment
    return exact(f"COMMENT ON {target} IS {'NULL' if before is None else literal(before).strip()}")


def undo_alter_enum(statement: Statement, known: Known) -> Undo:
    """ALTER TYPE ... RENAME VALUE; a value that was added can't be taken away again."""
    body = statement.body
    name = strings(body["typeName"])
    if "oldVal" in body:
        new, old = literal(body["newVal"]).strip(), literal(body["oldVal"]).strip()
        return exact(f"ALTER TYPE {dotted(name)} RENAME VALUE {new} TO {old}")
    if body.get("skipIfNewValExists") and known.schema is not None:
        candidates = [".".join(name)] if len(name) > 1 else [f"{path}.{name[0]}" for path in known.schema.search_path]
        enum = next((known.schema.enums[key] for key in candidates if key in known.schema.enums), None)
        if enum is not None and body["newVal"] in enum.labels:
            return nothing("The value was there before: the statement does nothing.")
    return manual("PostgreSQL can't take a value from an enum; one that nobody uses does no harm.")


def undo_alter_domain(statement: Statement, known: Known) -> Undo:  # noqa: PLR0911 - one return for each form of the statement
    """ALTER DOMAIN: constraints, default, NOT NULL."""
    body = statement.body
    name = strings(body["typeName"])
    domain = _domain(name, known)
    target = f"ALTER DOMAIN {relation_sql(domain.name) if domain else dotted(name)}"
    subtype = body.get("subtype")
    if subtype == "C":
        return _undo_domain_constraint(body, target)
    if subtype == "V":
        return nothing("A validated constraint only says what holds for all values; it may stay so.")
    if domain is None or known.is_stale(domain.name, "type"):
        return manual(_CATALOG_ONLY)
    if subtype == "T":
        return exact(f"{target} DROP DEFAULT" if domain.default is None else f"{target} SET DEFAULT {domain.default}")
    if subtype in {"O", "N"}:
        return _undo_domain_null(domain, target, sets=subtype == "O")
    constraint = next((item for item in domain.constraints if item.name == body.get("name")), None)
    if subtype != "X" or constraint is None:
        return manual(_CATALOG_ONLY)
    return exact(f"{target} ADD CONSTRAINT {quote_identifier(constraint.name)} {constraint.definition}")


def _undo_domain_constraint(body: Node, target: str) -> Undo:
    name = body["def"]["Constraint"].get("conname")
    if name is None:
        return manual("The constraint has no name: name the constraint, so that it can be dropped by it.")
    return exact(f"{target} DROP CONSTRAINT {quote_identifier(name)}")


def _undo_domain_null(domain: Domain, target: str, *, sets: bool) -> Undo:
    if domain.not_null == sets:
        return nothing("It is so already: the statement does nothing.")
    named = next((item for item in domain.constraints if item.kind == "not null"), None)
    if not sets and named is not None:
        return exact(f"{target} ADD CONSTRAINT {quote_identifier(named.name)} NOT NULL")
    return exact(f"{target} DROP NOT NULL" if sets else f"{target} SET NOT NULL")


def _domain(name: tuple[str, ...], known: Known) -> Domain | None:
    if known.schema is None:
        return None
    candidates = [".".join(name)] if len(name) > 1 else [f"{path}.{name[0]}" for path in known.schema.search_path]
    return next((known.schema.domains[key] for key in candidates if key in known.schema.domains), None)


#: option of ALTER SEQUENCE -> the clause that brings the catalog's value back
_SEQUENCE_OPTIONS: dict[str, Callable[[Sequence], str]] = {
    "increment": lambda sequence: f"INCREMENT BY {sequence.increment}",
    "minvalue": lambda sequence: f"MINVALUE {sequence.minimum}",
    "maxvalue": lambda sequence: f"MAXVALUE {sequence.maximum}",
    "start": lambda sequence: f"START WITH {sequence.start}",
    "cache": lambda sequence: f"CACHE {sequence.cache}",
    "cycle": lambda sequence: "CYCLE" if sequence.cycle else "NO CYCLE",
    "as": lambda sequence: f"AS {sequence.type} MINVALUE {sequence.minimum} MAXVALUE {sequence.maximum}",
    "owned_by": lambda sequence: f"OWNED BY {_column_sql(sequence.owned_by) if sequence.owned_by else 'NONE'}",
}


def undo_alter_sequence(statement: Statement, known: Known) -> Undo:
    """ALTER SEQUENCE; where its counter stood is not known, so RESTART has no way back."""
    body = statement.body
    name = body["sequence"]
    parts = parts_of({"RangeVar": name})
    if known.schema is None:
        return manual(_CATALOG_ONLY)
    candidates = [".".join(parts)] if len(parts) > 1 else [f"{path}.{parts[0]}" for path in known.schema.search_path]
    sequence = next((known.schema.sequences[key] for key in candidates if key in known.schema.sequences), None)
    options = [str(item["DefElem"]["defname"]) for item in body.get("options", ())]
    if sequence is None or known.is_stale(sequence.name, "sequence"):
        return manual(_CATALOG_ONLY)
    if any(option not in _SEQUENCE_OPTIONS for option in options):
        return manual("Where the sequence's counter stood is not known.")
    if "as" in options:
        options = [option for option in options if option not in {"minvalue", "maxvalue"}]
    clauses = " ".join(_SEQUENCE_OPTIONS[option](sequence) for option in options)
    return exact(f"ALTER SEQUENCE {relation_sql(sequence.name)} {clauses}")


def _column_sql(name: str) -> str:
    relation, _, column = name.rpartition(".")
    return f"{relation_sql(relation)}.{quote_identifier(column)}"


def undo_alter_policy(statement: Statement, known: Known) -> Undo:
    """ALTER POLICY: the policy is made again as the catalog has it."""
    body = statement.body
    key, name = known.key(body["table"]), str(body["policy_name"])
    relation = known.relation(key)
    policy = next((item for item in relation.policies if item.name == name), None) if relation is not None else None
    if policy is None or known.is_stale(key, "policies") or known.is_decorated(f"policy {key}.{name}"):
        return manual(_CATALOG_ONLY)
    return exact(f"DROP POLICY {quote_identifier(name)} ON {relation_sql(key)}", create_policy(policy))
