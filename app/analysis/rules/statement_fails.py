"""What the target will refuse, as its catalog tells beforehand."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.refusals import columns, constraints, dropping, tables
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each reason that is certain; after something that nobody can see into, none is."""
    if context.state.is_uncertain:
        return
    for module in (dropping, columns, constraints, tables):
        for refusal in module.refusals(context):
            yield Hit(
                risk="high",
                message=f"The statement fails ({refusal.sqlstate}): {refusal.reason}.",
                safer=refusal.safer,
                location=refusal.location,
            )


RULE = Rule(
    id="statement-fails",
    title="PostgreSQL refuses the statement",
    why="What stands before it in the same transaction is undone, what was committed before it stays, and the deploy stops "
    "half-way.",
    source=manual("errcodes-appendix.html"),
    level="high",
    bad="ALTER TABLE users DROP COLUMN email;  -- a view uses it",
    good="DROP VIEW v_users;\nALTER TABLE users DROP COLUMN email;",
    check=check,
)
