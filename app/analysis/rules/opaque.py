"""What can't be read from the text."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.builtin_functions import STEADY, VOLATILE
from app.sql.names import from_strings
from app.sql.tree import find

#: harmless or bounded, and common in migrations
_HARMLESS = frozenset({"set_config", "setval", "nextval", "currval", "pg_sleep", "pg_advisory_lock", "pg_advisory_xact_lock"})


def check(context: Context) -> Iterator[Hit]:
    """Hit for a statement whose work is not in its text."""
    if context.kind == "":
        yield Hit(risk="unknown", message="The statement is nested too deeply to be read.")
    elif context.kind == "CallStmt":
        yield Hit(risk="unknown", message="What the procedure does is not in this input.", safer="-- rehearse it on a shadow")
    elif context.kind == "ExecuteStmt":
        yield Hit(risk="unknown", message="What the prepared statement does is not in this input.")
    elif context.kind == "DoStmt" and context.is_dynamic:
        yield Hit(
            risk="unknown",
            message="The block makes SQL as it runs, which can't be judged before.",
            safer="-- write the statements out, or rehearse the block on a shadow",
        )
    elif context.kind == "SelectStmt" and "intoClause" not in context.body:
        names = {from_strings(call.get("funcname", ())).removeprefix("pg_catalog.") for call in find(context.body, "FuncCall")}
        foreign = sorted(name for name in names if name not in STEADY | VOLATILE | _HARMLESS and not _is_steady(context, name))
        if foreign:
            yield Hit(risk="unknown", message=f"What {', '.join(foreign)} does is not in this input.")


def _is_steady(context: Context, name: str) -> bool:
    """True for a user's function that is declared not to change anything."""
    bare = name.rpartition(".")[2]
    made = context.state.functions.get(bare)
    if made is not None:
        return not made.is_volatile
    functions = context.state.schema.functions.values() if context.state.schema else ()
    found = [function for function in functions if function.signature.partition("(")[0].rpartition(".")[2] == bare]
    return bool(found) and all(function.volatility != "volatile" for function in found)


RULE = Rule(
    id="opaque",
    title="It can't be judged from its text",
    why="Dynamic SQL, procedures and functions of your own do what their code says when they run. Headgate calls that unknown, "
    "never low; a rehearsal on a shadow shows what it does.",
    source=manual("plpgsql-statements.html#PLPGSQL-STATEMENTS-EXECUTING-DYN"),
    level="unknown",
    bad="DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN extra text', 'users'); END $$;",
    good="SELECT count(*) FROM users;",
    check=check,
)
