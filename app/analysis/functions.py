"""What CREATE FUNCTION says about a function, as far as a default or a SELECT cares."""

from app.analysis.state import FunctionFacts
from app.errors import HeadgateError
from app.sql.parser import parse_json
from app.sql.tree import Node, constant, find, strings


def facts_of(body: Node) -> FunctionFacts:
    """Volatility of a CreateFunctionStmt, VOLATILE where it says nothing."""
    options = _options(body)
    volatility = options.get("volatility", {}).get("String", {}).get("sval", "volatile")
    language = options.get("language", {}).get("String", {}).get("sval", "sql")
    return FunctionFacts(
        is_volatile=volatility == "volatile",
        is_constant=language == "sql" and any(is_constant_query(source) for source in function_sources(body)),
    )


def function_sources(body: Node) -> tuple[str, ...]:
    """The text between AS and the end: one string, or two for C functions."""
    return strings(_options(body).get("as", {}).get("List", {}).get("items", ()))


def _options(body: Node) -> dict[str, Node]:
    return {str(element.get("defname")): element.get("arg", {}) for element in find(body.get("options", []), "DefElem")}


def is_constant_query(source: str) -> bool:
    """True for the body of an SQL function that selects one constant, which PostgreSQL inlines."""
    try:
        statements = parse_json(source)["stmts"]
        targets = statements[0]["stmt"]["SelectStmt"]["targetList"] if len(statements) == 1 else []
        return len(targets) == 1 and constant(targets[0]["ResTarget"]["val"]) is not None
    except (HeadgateError, KeyError):
        return False
