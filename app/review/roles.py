"""The roles a person can have in a project, each holding everything that the one before it holds."""

from enum import StrEnum


class Role(StrEnum):
    """What a person may do in a project: viewer < author < approver < operator < admin."""

    VIEWER = "viewer"
    AUTHOR = "author"
    APPROVER = "approver"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """From 0, growing with the rights."""
        return list(Role).index(self)

    def includes(self, other: "Role") -> bool:
        """True where this role holds everything that the other holds."""
        return self.rank >= other.rank
