"""One command of ALTER TABLE, with what its inverse needs to be written."""

import re
from dataclasses import dataclass

from app.sql.names import quote_identifier
from app.sql.split import Statement
from app.sql.tree import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command, the relation it alters, and the statement it stands in."""

    node: Node
    #: the relation's qualified name
    key: str
    #: ``TABLE public.users``, as after ALTER
    target: str
    #: True for ALTER TABLE ONLY
    only: bool
    statement: Statement

    @property
    def subtype(self) -> str:
        """libpg_query's name: ``AT_AddColumn``."""
        return str(self.node.get("subtype"))

    @property
    def words(self) -> str:
        """The subtype in words: ``add column``."""
        return re.sub(r"(?<!^)(?=[A-Z])", " ", self.subtype.removeprefix("AT_")).lower()

    @property
    def name(self) -> str:
        """The column, constraint or trigger that the command names."""
        return str(self.node.get("name", ""))

    @property
    def definition(self) -> Node:
        """What the command carries: the body of ColumnDef, Constraint, ..."""
        found: Node = next(iter(self.node.get("def", {}).values()), {})
        return found

    @property
    def cascades(self) -> bool:
        """True with CASCADE."""
        return self.node.get("behavior") == "DROP_CASCADE"

    def alter(self, action: str) -> str:
        """The statement that does something to the same relation."""
        return f"ALTER {self.target} {action}"

    def alter_column(self, action: str) -> str:
        """The statement that does something to the same column."""
        return self.alter(f"ALTER COLUMN {quote_identifier(self.name)} {action}")
