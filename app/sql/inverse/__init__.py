"""The rollback of a statement, from its syntax tree and the catalog as it was before, with its grade; never a wrong one."""

from app.sql.inverse.derive import Deriver, derive_rollback, inverse

__all__ = ["Deriver", "derive_rollback", "inverse"]
