"""What undoes one statement: SQL with its grade, nothing, or the reason why a person has to write it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.plan.model import Grade, Rollback

_WORST: tuple[Grade, ...] = ("lossless", "loses-new-writes", "irreversible")


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """The inverse of one statement or of one command of ALTER TABLE."""

    #: statements in the order in which they run, without semicolons
    sql: tuple[str, ...] = ()
    grade: Grade = "lossless"
    reason: str = ""
    #: False where a person has to write it
    is_derived: bool = True

    def rollback(self) -> Rollback:
        """The same for a plan's step."""
        sql = "".join(f"{statement};\n" for statement in self.sql) or None
        return Rollback(grade=self.grade, sql=sql, reason=self.reason, origin="derived")


def exact(*sql: str, reason: str = "") -> Undo:
    """Puts everything back as it was."""
    return Undo(sql=sql, reason=reason)


def loses(*sql: str, reason: str) -> Undo:
    """Puts the schema back; what was written since is lost."""
    return Undo(sql=sql, grade="loses-new-writes", reason=reason)


def lossy(*sql: str, reason: str) -> Undo:
    """Puts the schema back; what the statement itself destroyed stays lost."""
    return Undo(sql=sql, grade="irreversible", reason=reason)


def nothing(reason: str) -> Undo:
    """Nothing has to be done."""
    return Undo(reason=reason)


def manual(reason: str) -> Undo:
    """Can't be derived without a doubt."""
    return Undo(grade="irreversible", reason=reason, is_derived=False)


def in_reverse(undos: Sequence[Undo]) -> Undo:
    """The inverse of a sequence from the inverses of its members, given in the order in which the members ran."""
    unknown = [undo.reason for undo in undos if not undo.is_derived]
    if unknown:
        return manual(_joined(unknown))
    grades: list[Grade] = [undo.grade for undo in undos]
    grade: Grade = max(grades, key=_WORST.index, default="lossless")
    sql = tuple(statement for undo in reversed(undos) for statement in undo.sql)
    return Undo(sql=sql, grade=grade, reason=_joined(undo.reason for undo in undos))


def _joined(reasons: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(reason for reason in reasons if reason))
