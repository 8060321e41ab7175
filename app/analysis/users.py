"""Who uses a type, a domain or a function, and what a view is made of, as far as the catalog says."""

import re
from collections.abc import Iterable, Iterator

from app.analysis.state import State
from app.analysis.tables import Table
from app.catalog.records import Relation
from app.errors import HeadgateError
from app.sql.relations import references


def sources_of(state: State, view: Table) -> list[Table]:
    """The relations that a view of the target reads; nothing for any other relation."""
    relation = state.schema.relations.get(view.name) if state.schema else None
    if relation is None or not relation.view_definition:
        return []
    try:
        return [state.table(name) for name in sorted(references(relation.view_definition))]
    except HeadgateError:
        return []


def domain_users(state: State, name: str) -> list[Table]:
    """The tables with a column of a domain, or of a domain over it."""
    bare = name.rpartition(".")[2]
    domains = state.schema.domains.values() if state.schema else ()
    over = [domain.name for domain in domains if domain.name != name and domain.base_type.rpartition(".")[2] == bare]
    users = {table.name: table for table in state.tables.values() if _has_type(table, bare)}
    for domain in domains:
        if domain.name.rpartition(".")[2] == bare:
            users.update((used, state.table(used)) for used in domain.used_by)
    for each in over:
        users.update((table.name, table) for table in domain_users(state, each))
    return list(users.values())


def type_users(state: State, bare: str) -> list[Table]:
    """The tables with a column of a type."""
    return [table for table in _tables(state) if table.kind.endswith("table") and _has_type(table, bare)]


def container_users(state: State, bare: str) -> list[Table]:
    """The tables with a column that is an array of a type."""
    return [table for table in _tables(state) if table.kind.endswith("table") and _has_array(table, bare)]


def function_users(state: State, bare: str) -> list[Table]:
    """The tables whose triggers, indexes, defaults, constraints or policies call a function of that name."""
    called = re.compile(rf'(?<![\w"]){re.escape(bare)}\(')
    relations = state.schema.relations if state.schema else {}
    return [table for table in _tables(state) if any(called.search(text) for text in _texts(relations[table.name]))]


def _texts(relation: Relation) -> Iterator[str]:
    yield from (trigger.definition for trigger in relation.triggers)
    yield from (index.definition for index in relation.indexes)
    yield from (column.default for column in relation.columns if column.default)
    yield from (constraint.definition for constraint in relation.constraints)
    yield from (policy.definition for policy in relation.policies)


def _tables(state: State) -> Iterable[Table]:
    names = state.schema.relations if state.schema else {}
    return [state.table(name) for name in names if name not in state.removed]


def _has_type(table: Table, bare: str) -> bool:
    return any((column.type or "").rpartition(".")[2].removesuffix("[]") == bare for column in table.columns.values())


def _has_array(table: Table, bare: str) -> bool:
    return any((column.type or "").rpartition(".")[2] == f"{bare}[]" for column in table.columns.values())
