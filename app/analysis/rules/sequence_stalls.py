"""ALTER SEQUENCE and identity options."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each change of a sequence that others use."""
    if context.kind == "AlterSeqStmt":
        sequence = context.state.table_of(context.body["sequence"])
        if not sequence.is_new:
            yield Hit(risk="low", message=f"nextval of {sequence.name} waits, shortly: writes that take a number stall.")
    for table, command in context.commands("AT_SetIdentity", "AT_DropIdentity"):
        yield Hit(risk="low", message=f"Writes to {table.name} that number {command.get('name')} stall, shortly.")


RULE = Rule(
    id="sequence-stalls",
    title="nextval waits while its sequence is changed",
    why="SHARE ROW EXCLUSIVE on the sequence makes every INSERT that takes a number wait until the transaction ends (measured).",
    source=manual("sql-altersequence.html"),
    level="low",
    bad="ALTER SEQUENCE users_id_seq RESTART WITH 1000;",
    good=None,
    check=check,
)
