"""What a statement takes, rewrites and scans: the facts that the rules explain and the rehearsal later confirms."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.analysis import footprint_objects as objects
from app.analysis import footprint_queries as queries
from app.analysis import footprint_upkeep as upkeep
from app.analysis.footprint_alter import alter_index, alter_table
from app.analysis.footprint_drop import drop
from app.analysis.marks import Marks
from app.analysis.report import Lock
from app.analysis.state import Held, State
from app.sql.lock_levels import MODES, blocks, statement_mode
from app.sql.tree import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Locks on relations, and the relations whose rows it writes anew or reads from end to end."""

    locks: tuple[Lock, ...] = ()
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    #: tables on which an index is built
    builds: tuple[str, ...] = ()
    held: tuple[Held, ...] = field(default=(), repr=False)


def footprint(
    kind: str, body: Node, state: State, *, server_version: int = 18, is_utc: bool = True, number: int = 0
) -> Footprint:
    """The footprint of one statement before it runs, in the state before it."""
    marks = Marks(state=state, server_version=server_version, is_utc=is_utc)
    draw = _DRAWN.get(kind)
    if draw:
        draw(marks, body)
    else:
        _by_table(marks, kind, body)
    locks = tuple(
        Lock(relation=name, mode=mode, blocks=marks.blocked.get(name, blocks(mode)))
        for name, mode in sorted(marks.locks.items(), key=lambda item: -MODES.index(item[1]))
    )
    held = tuple(
        Held(relation=name, mode=mode, statement=number)
        for name, mode in marks.locks.items()
        if name not in state.tables or not state.tables[name].is_new
    )
    return Footprint(
        locks=locks,
        rewrites=tuple(dict.fromkeys(marks.rewrites)),
        scans=tuple(dict.fromkeys(marks.scans)),
        builds=tuple(dict.fromkeys(marks.builds)),
        held=held,
    )


def _by_table(marks: Marks, kind: str, body: Node) -> None:
    """What the lock table says about the relation that is named first."""
    mode = statement_mode(kind, body)
    node = body.get("relation") or body.get("table") or body.get("sequence")
    if mode and isinstance(node, dict) and "relname" in node:
        table = marks.state.table_of(node)
        if not (body.get("missing_ok") and marks.state.exists(table.name) is False):
            marks.lock(table, mode)


_DRAWN: dict[str, Callable[[Marks, Node], None]] = {
    "AlterTableStmt": lambda marks, body: (alter_index if body.get("objtype") == "OBJECT_INDEX" else alter_table)(marks, body),
    "SelectStmt": queries.select,
    "InsertStmt": queries.write("InsertStmt"),
    "UpdateStmt": queries.write("UpdateStmt"),
    "DeleteStmt": queries.write("DeleteStmt"),
    "MergeStmt": queries.write("MergeStmt"),
    "ExplainStmt": queries.explain,
    "PrepareStmt": queries.held_query,
    "DeclareCursorStmt": queries.held_query,
    "CopyStmt": queries.copy,
    "CreateStmt": objects.create_table,
    "CreateTableAsStmt": objects.create_as,
    "IndexStmt": objects.create_index,
    "ViewStmt": objects.view,
    "CreateTrigStmt": objects.trigger,
    "CreatePolicyStmt": objects.policy,
    "AlterPolicyStmt": objects.policy,
    "RuleStmt": objects.rule,
    "CreateFunctionStmt": objects.function,
    "CreateSeqStmt": objects.sequence,
    "AlterSeqStmt": objects.sequence,
    "CreateStatsStmt": objects.statistics,
    "DropStmt": drop,
    "TruncateStmt": upkeep.truncate,
    "ReindexStmt": upkeep.reindex,
    "VacuumStmt": upkeep.vacuum,
    "ClusterStmt": upkeep.cluster,
    "RefreshMatViewStmt": upkeep.refresh,
    "LockStmt": upkeep.lock,
    "RenameStmt": upkeep.rename,
    "AlterObjectSchemaStmt": upkeep.move,
    "AlterObjectDependsStmt": upkeep.depends,
    "AlterDomainStmt": upkeep.domain,
    "CommentStmt": upkeep.comment,
    "GrantStmt": upkeep.grant,
    "CreatePublicationStmt": upkeep.publication,
    "AlterPublicationStmt": upkeep.publication,
}
