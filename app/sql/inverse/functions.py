"""CREATE, ALTER and DROP of functions and procedures: which one is meant, by the types of its arguments."""

from app.catalog.records import Function
from app.sql.inverse.known import Known, dotted
from app.sql.inverse.undo import Undo, exact, manual
from app.sql.names import from_type_name, quote_identifier
from app.sql.split import Statement
from app.sql.tree import Node, strings

_INPUT = frozenset({"FUNC_PARAM_DEFAULT", "FUNC_PARAM_IN", "FUNC_PARAM_INOUT", "FUNC_PARAM_VARIADIC"})
_MODES = {"FUNC_PARAM_OUT": "OUT ", "FUNC_PARAM_INOUT": "INOUT ", "FUNC_PARAM_VARIADIC": "VARIADIC "}


def undo_create_function(statement: Statement, known: Known) -> Undo:  # noqa: PLR0911 - one return for each form of the statement
    """CREATE FUNCTION or PROCEDURE; one that is replaced comes back from the catalog's definition."""
    body = statement.body
    word = "PROCEDURE" if body.get("is_procedure") else "FUNCTION"
    parameters = [item["FunctionParameter"] for item in body.get("parameters", ())]
    if any(item["argType"].get("pct_type") or item["argType"].get("setof") for item in parameters):
        return manual("An argument's type is written as %TYPE: write the type itself.")
    arguments = [_argument(item, word) for item in parameters if item["mode"] in _INPUT or word == "PROCEDURE"]
    inputs = [item for item in parameters if item["mode"] in _INPUT]
    drop = f"DROP {word} {dotted(strings(body['funcname']))}({', '.join(arguments)})"
    if not body.get("replace"):
        return exact(drop)
    name = strings(body["funcname"])
    if known.is_made("function", _made_key(name, inputs)):
        return exact(drop)
    if known.schema is None:
        return manual("The function may have been there before (OR REPLACE): only the catalog can tell.")
    before = _find(name, [from_type_name(item["argType"]) for item in inputs], known)
    if before is None:
        return (
            exact(drop) if _is_certainly_new(name, len(inputs), known) else manual("Which function is replaced is not certain.")
        )
    if known.is_stale(before.signature, "function") or before.kind == "aggregate":
        return manual("What the function is like now is not known after the statements before.")
    return exact(before.definition.rstrip().rstrip(";"))


def _argument(parameter: Node, word: str) -> str:
    mode = _MODES.get(parameter["mode"], "") if word == "PROCEDURE" else ""
    return mode + sql_type(parameter["argType"])


def sql_type(type_name: Node) -> str:
    """A TypeName as SQL: what format_type() prints for PostgreSQL's own types, quoted parts for all others."""
    names = strings(type_name.get("names"))
    if len(names) == 1 or names[0] == "pg_catalog":
        printed = from_type_name(type_name).partition("(")[0] if type_name.get("typmods") else from_type_name(type_name)
        bare = printed.rstrip("[]")
        return quote_identifier(bare) + printed[len(bare) :] if len(names) == 1 and bare == names[-1] else printed
    return dotted(names) + "[]" * len(type_name.get("arrayBounds", ()))


def made_function_key(statement: Statement) -> str:
    """What identifies the function that a CREATE makes, as written."""
    body = statement.body
    inputs = [item["FunctionParameter"] for item in body.get("parameters", ()) if item["FunctionParameter"]["mode"] in _INPUT]
    return _made_key(strings(body["funcname"]), inputs)


def _made_key(name: tuple[str, ...], inputs: list[Node]) -> str:
    return f"{'.'.join(name)}({', '.join(from_type_name(item['argType']) for item in inputs)})"


def _find(name: tuple[str, ...], types: list[str], known: Known) -> Function | None:
    """The catalog's function of that name with exactly these argument types."""
    if known.schema is None:
        return None
    namespaces = name[:1] if len(name) > 1 else known.schema.search_path
    for namespace in namespaces:
        written = [_bare(item) for item in types]
        for signature, function in known.schema.functions.items():
            if signature.startswith(f"{namespace}.{name[-1]}(") and _argument_types(signature) == written:
                return function
    return None


def _is_certainly_new(name: tuple[str, ...], count: int, known: Known) -> bool:
    """True where no function of that name has as many arguments, whatever their types."""
    if known.schema is None:
        return False
    same = [signature for signature in known.schema.functions if signature.partition("(")[0].rpartition(".")[2] == name[-1]]
    return all(len(_argument_types(signature)) != count for signature in same)


def _argument_types(signature: str) -> list[str]:
    inside = signature.partition("(")[2].removesuffix(")")
    return [_bare(item) for item in inside.split(", ")] if inside else []


def _bare(type_name: str) -> str:
    """A type without its modifier and schema: the catalog writes the schema of every type that is not PostgreSQL's own."""
    without = type_name.partition("(")[0] + ("[]" if type_name.endswith("[]") and "(" in type_name else "")
    return without.rpartition(".")[2]


def signature_of(node: Node, known: Known) -> Function | None:
    """The catalog's function that an ObjectWithArgs node means, or None where that is not certain."""
    if known.schema is None:
        return None
    name = strings(node.get("objname"))
    if node.get("args_unspecified"):
        same = [
            function
            for signature, function in known.schema.functions.items()
            if signature.partition("(")[0] == ".".join(name)
            or (len(name) == 1 and signature.partition("(")[0] in {f"{path}.{name[0]}" for path in known.schema.search_path})
        ]
        return same[0] if len(same) == 1 else None
    return _find(name, [from_type_name(item["TypeName"]) for item in node.get("objargs", ())], known)


def undo_alter_function(statement: Statement, known: Known) -> Undo:
    """ALTER FUNCTION's options: the catalog's definition has them all."""
    function = signature_of(statement.body.get("func", {}), known)
    if function is None or known.is_stale(function.signature, "function") or function.kind == "aggregate":
        return manual("What the function was like is known to the catalog only.")
    return exact(function.definition.rstrip().rstrip(";"))
