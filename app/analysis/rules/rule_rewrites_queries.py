"""CREATE RULE."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each rewrite rule on a relation that others use."""
    if context.kind == "RuleStmt" and not context.state.table_of(context.body["relation"]).is_new:
        yield Hit(
            risk="medium",
            message=f"Statements on {context.state.table_of(context.body['relation']).name} mean something else from now on.",
            safer="-- a trigger does the same without rewriting queries",
        )


RULE = Rule(
    id="rule-rewrites-queries",
    title="A rule rewrites other people's statements",
    why="Rules change what a statement means before it is planned, with surprises for RETURNING, volatile functions and counts.",
    source=manual("rules.html"),
    level="medium",
    bad="CREATE RULE keep AS ON DELETE TO users DO INSTEAD NOTHING;",
    good=None,
    check=check,
)
