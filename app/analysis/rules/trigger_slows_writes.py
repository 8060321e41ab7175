"""CREATE TRIGGER."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each new trigger on a table that others use."""
    if context.kind == "CreateTrigStmt" and "relation" in context.body:
        table = context.state.table_of(context.body["relation"])
        if not table.is_new:
            yield Hit(
                risk="low",
                message=f"Every write to {table.name} that the trigger fires for costs its function; SHARE ROW EXCLUSIVE, "
                f"shortly.",
            )


RULE = Rule(
    id="trigger-slows-writes",
    title="A trigger costs every write",
    why="Creating it is short, but its function runs inside each statement that it fires for, and its errors are theirs.",
    source=manual("sql-createtrigger.html"),
    level="low",
    bad="CREATE TRIGGER stamp BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION stamp();",
    good=None,
    check=check,
)
