"""ALTER EXTENSION."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each update of an extension."""
    if context.kind in {"AlterExtensionStmt", "AlterExtensionContentsStmt"}:
        yield Hit(
            risk="high",
            message=f"The extension {context.body.get('extname')} changes: its update script is not in this input.",
            why="An update runs the extension's own script with its own locks; nobody can judge it from here.",
            safer="-- rehearse it on a copy first, and read the extension's release notes",
        )


RULE = Rule(
    id="extension-change",
    title="An extension's update runs a script that is not shown",
    why="An update runs the extension's own script, with whatever locks and changes it makes.",
    source=manual("sql-alterextension.html"),
    level="high",
    bad="ALTER EXTENSION citext UPDATE;",
    good="CREATE EXTENSION IF NOT EXISTS citext;",
    check=check,
)
