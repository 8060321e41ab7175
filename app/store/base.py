"""What every table of Headgate's own database shares: the naming convention, and how Python types become column types."""

from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, Double, Identity, MetaData, Text, TypeDecorator, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

WordT = TypeVar("WordT", bound=StrEnum)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every mapping; rows are joined by explicit queries, nothing is loaded behind one's back."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads this class attribute; it is never changed
        str: Text,
        int: BigInteger,
        float: Double,
        datetime: DateTime(timezone=True),
        UUID: Uuid,
        dict[str, Any]: JSONB(none_as_null=True),
        list[Any]: JSONB(none_as_null=True),
    }


class Word(TypeDecorator[WordT]):
    """A member of an enum, kept as text; ``one_of`` adds the CHECK that says which words there are."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[WordT]) -> None:
        """``words`` is the enum whose values the column holds."""
        super().__init__()
        self.words = words

    def process_bind_param(self, value: WordT | str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's signature
        """The word that is stored; a word outside the enum is refused with ValueError."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: Any, dialect: Dialect) -> WordT | None:  # noqa: ARG002  SQLAlchemy's signature
        """The member that the stored word stands for."""
        return None if value is None else self.words(value)


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """A CHECK that the column holds one of the enum's words."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f'"{column}" IN ({listed})', name=f"{column}_is_known")


def moment() -> MappedColumn[datetime]:
    """A moment that defaults to the transaction's own; actions set it from their clock."""
    return mapped_column(DateTime(timezone=True), server_default=func.now())


class Numbered:
    """A table with a bigint identity as its key."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, sort_order=-1)
