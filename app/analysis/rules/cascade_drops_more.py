"""DROP ... CASCADE."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each CASCADE that can reach what the input did not make."""
    if context.kind == "DropStmt" and context.body.get("behavior") == "DROP_CASCADE":
        names = [name for _, name in context.dropped(str(context.body.get("removeType")))]
        if context.body.get("missing_ok") and all(context.state.exists(name) is False for name in names):
            return
        if all(_is_new(context, name) for name in names):
            return
        yield Hit(risk="high", message=_says(context, names), safer="-- name every dependent object in a DROP of its own")
    for table, command in context.commands("AT_DropColumn", "AT_DropConstraint"):
        if command.get("behavior") == "DROP_CASCADE":
            yield Hit(
                risk="high",
                message=f"CASCADE also drops whatever depends on {command.get('name')} of {table.name}"
                + (f": {', '.join(name for _, name, _ in table.dependents)}." if table.dependents else "."),
                safer="-- name every dependent object in a DROP of its own",
            )


def _is_new(context: Context, name: str) -> bool:
    if (
        name in context.state.new_schemas
        or name in context.state.new_types
        or name in context.state.functions
        or name in context.state.domains
    ):
        return True
    return bool(context.state.exists(name)) and context.state.table(name).is_new


def _says(context: Context, names: list[str]) -> str:
    known = [
        found
        for name in names
        for found in (
            *(f"{kind} {dependent}" for kind, dependent, _ in context.state.table(name).dependents),
            *(
                f"foreign key {fact.name} of {child.name}"
                for child, fact in context.state.referencing(context.state.qualify(name))
            ),
        )
    ]
    return f"CASCADE also drops {', '.join(known) if known else f'whatever depends on {chr(44).join(names)}'}."


RULE = Rule(
    id="cascade-drops-more",
    title="CASCADE drops more than the statement names",
    why="Views, foreign keys, functions and triggers that depend on the object go with it, without a word in the script.",
    source=manual("ddl-depend.html"),
    level="high",
    bad="DROP TABLE users CASCADE;",
    good="CREATE TABLE scratch (id bigint);\nDROP TABLE scratch CASCADE;",
    check=check,
)
