"""A relation as the SQL that makes it: CREATE TABLE with its constraints, then indexes, triggers, policies and comments.

Made to be read and compared line by line. What PostgreSQL prints of a part is kept as it prints it; owners and grants are left
out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from app.catalog.outline import column_text, is_plain_not_null
from app.catalog.records import Column, Relation
from app.sql.inverse.restore import comments, create_policy, create_trigger
from app.sql.names import quote_identifier, quote_qualified

#: a line of a difference: "+", "-" or " ", and the text
DiffLine = tuple[str, str]


def definition(relation: Relation) -> str:
    """The statements that make the relation, each ending in a semicolon."""
    return "\n".join(_lines(relation))


def line_difference(before: str | None, after: str | None) -> tuple[DiffLine, ...]:
    """Two definitions as one text with marks; a comma that comes or goes at the end of a line is no difference."""
    old, new = (before or "").splitlines(), (after or "").splitlines()
    found: list[DiffLine] = []
    matcher = SequenceMatcher(a=_bare(old), b=_bare(new), autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            found += [(" ", line) for line in new[new_start:new_end]]
        else:
            found += [("-", line) for line in old[start:end]]
            found += [("+", line) for line in new[new_start:new_end]]
    return tuple(found)


def _bare(lines: Sequence[str]) -> list[str]:
    return [line.rstrip(",") for line in lines]


def _lines(relation: Relation) -> Iterator[str]:
    name = quote_qualified(relation.name)
    if relation.view_definition is not None:
        yield f"CREATE {relation.kind.upper()} {name}{_options(relation)} AS"
        yield from f"{relation.view_definition.strip().rstrip(';')};".splitlines()
    else:
        yield from _table(relation, name)
    for index in relation.indexes:
        if index.constraint is None:
            yield f"{index.definition};{'' if index.is_valid else ' -- INVALID'}"
    for trigger in relation.triggers:
        yield from (f"{statement};" for statement in create_trigger(trigger))
    if relation.row_security:
        yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;"
    yield from (f"{create_policy(policy)};" for policy in relation.policies)
    yield from (f"{statistics.definition};" for statistics in relation.statistics)
    if relation.replica_identity != "default" and relation.kind in {"table", "partitioned table"}:
        yield f"ALTER TABLE {name} REPLICA IDENTITY {_replica_identity(relation)};"
    word = relation.kind.upper() if relation.view_definition is not None else "TABLE"
    yield from (f"{statement};" for statement in comments(relation, word))


def _table(relation: Relation, name: str) -> Iterator[str]:
    word = {"foreign table": "FOREIGN TABLE", "composite type": "TYPE"}.get(relation.kind, "TABLE")
    members = [_column(column) for column in relation.columns] + [
        f"CONSTRAINT {quote_identifier(constraint.name)} {constraint.definition}"
        for constraint in relation.constraints
        if not is_plain_not_null(constraint)
    ]
    yield f"CREATE {'UNLOGGED ' if relation.is_unlogged else ''}{word} {name}{' AS' if word == 'TYPE' else ''} ("
    yield from (f"    {member}," for member in members[:-1])
    yield from (f"    {member}" for member in members[-1:])
    yield f"){_tail(relation)};"


def _column(column: Column) -> str:
    return f"{quote_identifier(column.name)} {column_text(replace(column, comment=None))}"


def _tail(relation: Relation) -> str:
    parents = ", ".join(quote_qualified(parent) for parent in relation.parents)
    parts = [
        parents
        and (f" PARTITION OF {parents} {relation.partition_bound}" if relation.partition_bound else f" INHERITS ({parents})"),
        relation.partition_key and f" PARTITION BY {relation.partition_key}",
        _options(relation),
    ]
    return "".join(part for part in parts if part)


def _options(relation: Relation) -> str:
    return f" WITH ({', '.join(sorted(relation.options))})" if relation.options else ""


def _replica_identity(relation: Relation) -> str:
    if relation.replica_identity != "index":
        return relation.replica_identity.upper()
    index = next((index.name.rpartition(".")[2] for index in relation.indexes if index.is_replica_identity), "")
    return f"USING INDEX {quote_identifier(index)}"
