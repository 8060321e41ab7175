"""A statement outside a transaction that a second try of the script stumbles over."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit where others follow in the same script: it stays when one of them fails."""
    body = context.body
    stays = (context.kind == "IndexStmt" and body.get("concurrent") and not body.get("if_not_exists")) or (
        context.kind == "DropStmt" and body.get("concurrent") and not body.get("missing_ok")
    )
    if stays and context.later and not context.options.runs_here:
        yield Hit(
            risk="low",
            message=f"{context.effect.command} CONCURRENTLY is not undone when a later statement fails: the script "
            "then stops here at "
            "its second try.",
            safer="-- a script of its own, or IF [NOT] EXISTS with a look at pg_index.indisvalid first",
        )


RULE = Rule(
    id="not-repeatable",
    title="The script can't be run again after a failure",
    why="What runs outside a transaction stays when a later statement fails. IF NOT EXISTS lets the second try pass, "
    "but also passes "
    "over an INVALID index that the first one left: look at pg_index.indisvalid. Headgate's own runs know what has taken effect.",
    source=manual("sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY"),
    level="low",
    bad="CREATE INDEX CONCURRENTLY users_age_idx ON users (age);\nALTER TABLE orders ADD COLUMN extra text;",
    good="CREATE INDEX CONCURRENTLY users_age_idx ON users (age);",
    check=check,
)
