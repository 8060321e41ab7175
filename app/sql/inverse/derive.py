"""Statements, scripts and plans -> rollbacks: each statement is judged by the catalog as the ones before it have left it."""

from collections.abc import Callable, Mapping, Sequence

from app.catalog.records import Schema
from app.plan.model import Rollback
from app.sql.inverse import create, data, drop, functions, grants, objects, rename
from app.sql.inverse.alter_table import undo_alter_table
from app.sql.inverse.follow import follow
from app.sql.inverse.known import Known
from app.sql.inverse.pieces import names_are_qualified
from app.sql.inverse.undo import Undo, in_reverse, manual
from app.sql.split import Statement, split

_BY_KIND: Mapping[str, Callable[[Statement, Known], Undo]] = {
    "AlterDomainStmt": objects.undo_alter_domain,
    "AlterEnumStmt": objects.undo_alter_enum,
    "AlterFunctionStmt": functions.undo_alter_function,
    "AlterObjectSchemaStmt": rename.undo_set_schema,
    "AlterPolicyStmt": objects.undo_alter_policy,
    "AlterSeqStmt": objects.undo_alter_sequence,
    "AlterTableStmt": undo_alter_table,
    "CheckPointStmt": data.undo_nothing,
    "ClusterStmt": data.undo_cluster,
    "CommentStmt": objects.undo_comment,
    "CompositeTypeStmt": create.undo_create_composite,
    "ConstraintsSetStmt": data.undo_nothing,
    "CopyStmt": data.undo_copy,
    "CreateDomainStmt": create.undo_create_domain,
    "CreateEnumStmt": create.undo_create_enum,
    "CreateExtensionStmt": create.undo_create_extension,
    "CreateForeignTableStmt": create.undo_create_table,
    "CreateFunctionStmt": functions.undo_create_function,
    "CreatePolicyStmt": create.undo_create_policy,
    "CreatePublicationStmt": create.undo_create_publication,
    "CreateRangeStmt": create.undo_create_range,
    "CreateSchemaStmt": create.undo_create_schema,
    "CreateSeqStmt": create.undo_create_sequence,
    "CreateStatsStmt": create.undo_create_statistics,
    "CreateStmt": create.undo_create_table,
    "CreateTableAsStmt": create.undo_create_table_as,
    "CreateTrigStmt": create.undo_create_trigger,
    "DeleteStmt": data.undo_rows,
    "DiscardStmt": data.undo_nothing,
    "DropStmt": drop.undo_drop,
    "GrantStmt": grants.undo_grant,
    "IndexStmt": create.undo_create_index,
    "InsertStmt": data.undo_rows,
    "LockStmt": data.undo_lock,
    "MergeStmt": data.undo_rows,
    "NotifyStmt": data.undo_nothing,
    "RefreshMatViewStmt": data.undo_nothing,
    "ReindexStmt": data.undo_nothing,
    "RenameStmt": rename.undo_rename,
    "RuleStmt": create.undo_create_rule,
    "SelectStmt": data.undo_select,
    "TransactionStmt": data.undo_nothing,
    "TruncateStmt": data.undo_truncate,
    "UpdateStmt": data.undo_rows,
    "VacuumStmt": data.undo_nothing,
    "VariableSetStmt": data.undo_nothing,
    "VariableShowStmt": data.undo_nothing,
    "ViewStmt": create.undo_create_view,
}


def _undo(statement: Statement, known: Known) -> Undo:
    inverse_of = _BY_KIND.get(statement.kind)
    if inverse_of is None:
        return manual("There is no rule for undoing this statement.")
    try:
        undo = inverse_of(statement, known)
        if known.home and not all(names_are_qualified(sql) for sql in undo.sql):
            return manual("The script changes the search_path: write the names with their schema.")
        return undo  # noqa: TRY300 - one of two returns
    except (KeyError, IndexError, TypeError, AttributeError):
        # a shape of the tree that the rule does not know
        return manual("The statement is written in a way that the rule for undoing it does not know.")


class Deriver:
    """Derives rollbacks one script after the other, remembering what the scripts before have changed."""

    def __init__(self, schema: Schema | None) -> None:
        self._known = Known(schema=schema)

    def rollback(self, statements: Sequence[Statement]) -> Rollback:
        """The rollback of neighbouring statements; irreversible without SQL, and with the reason, where it can't be derived."""
        undos = []
        for statement in statements:
            undos.append(_undo(statement, self._known))
            self._known = follow(statement, self._known)
        return in_reverse(undos).rollback()

    def derive(self, sql: str) -> Rollback | None:
        """The rollback of a script, or None where it can't be derived.

        Raises SqlSyntaxError, MetaCommandError.
        """
        rollback = self.rollback(split(sql))
        return None if rollback.sql is None and rollback.grade == "irreversible" else rollback


def inverse(statement: Statement, schema: Schema | None) -> Rollback:
    """The rollback of one statement by the catalog before it."""
    return Deriver(schema).rollback([statement])


def derive_rollback(sql: str, schema: Schema | None) -> Rollback | None:
    """The rollback of a whole script: its statements undone in reverse order; None where one of them can't be.

    Raises SqlSyntaxError, MetaCommandError.
    """
    return Deriver(schema).derive(sql)
