"""Domains at one point of the input: what is under them, and whether anything checks their values."""

from collections.abc import Iterator

from app.analysis.state import DomainFacts, State
from app.analysis.type_change import parts_of


def domain_of(state: State, type_name: str) -> DomainFacts | None:
    """The domain of that name, made by the input or found in the target; None where the type is no known domain."""
    bare = type_name.rpartition(".")[2]
    for name in (type_name, bare):
        if name in state.domains:
            return state.domains[name]
    schemas = state.search_path if "." not in type_name else ()
    for name in (type_name, *(f"{schema}.{bare}" for schema in schemas)):
        domain = state.schema.domains.get(name) if state.schema else None
        if domain is not None:
            return DomainFacts(base_type=domain.base_type, is_checked=domain.not_null or bool(domain.constraints))
    return None


def is_checked(state: State, type_name: str) -> bool:
    """True where the type is a domain, and it or a domain under it has a constraint."""
    return any(domain.is_checked for domain in _chain(state, type_name))


def is_domain(state: State, type_name: str) -> bool:
    """True where the type is a known domain."""
    return domain_of(state, type_name) is not None


def base_of(state: State, type_name: str) -> str:
    """The type under a domain, all levels down; every other type is its own base."""
    base = type_name
    for domain in _chain(state, type_name):
        base = domain.base_type or base
    return base


def _chain(state: State, type_name: str) -> Iterator[DomainFacts]:
    if parts_of(type_name).dimensions:
        return
    seen = set[str]()
    name: str | None = type_name
    while name is not None and name not in seen:
        seen.add(name)
        domain = domain_of(state, name)
        if domain is None:
            return
        yield domain
        name = domain.base_type
