"""What a batch does to its rows, as SQL: update them, delete them, or copy them into another table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from app.backfill.definition import Action, BackfillDefinition
from app.backfill.expressions import Expressions
from app.backfill.statements import literal_sql, relation_sql
from app.backfill.table import Table
from app.sql.names import quote_identifier

UPDATE = """
    UPDATE ONLY {relation}{alias} SET {list}
     WHERE {rows}
       AND (
{where}
)
    RETURNING {returning}"""
DELETE = """
    DELETE FROM ONLY {relation}{alias}
     WHERE {rows}
       AND (
{where}
)
    RETURNING {returning}"""
# A row that its own transaction deletes meanwhile must not come to life again in the other table: so it is locked.
COPY = """
    INSERT INTO {into} AS headgate_into ({columns}) OVERRIDING SYSTEM VALUE
    SELECT {list}
      FROM ONLY {relation}{alias}
     WHERE {rows}
       AND (
{where}
) {left_out}
    {lock}
    {conflict}
    RETURNING {returning}"""
#: OFFSET 0 keeps it a look-up per row: joined, each batch of a sweep would read the whole other table.
NOT_THERE = "NOT EXISTS (SELECT 1 FROM {into} AS headgate_there WHERE {same}{per_row})"

_NOT_ASKED = sql.SQL("false AS still")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Where rows are copied to, and how a copied row is known."""

    schema: str
    name: str
    columns: tuple[str, ...]
    #: what goes between SELECT and FROM, in the order of ``columns``
    list_text: str
    #: (column there, column here) of a key that is unique on both sides; empty where there is none
    match: tuple[tuple[str, str], ...] = ()
    #: True where triggers of the table keep the other one up to date meanwhile
    locks_rows: bool = False

    @property
    def qualified(self) -> str:
        """``public.users_new``, quoted where PostgreSQL needs it."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"

    @property
    def into(self) -> sql.Identifier:
        """The other table."""
        return relation_sql(self.schema, self.name)

    def not_there(self, row: sql.Identifier, *, per_row: bool) -> sql.Composed:
        """The condition that a row was not copied yet; ``match`` is not empty."""
        same = [
            sql.SQL("headgate_there.{} = {}.{}").format(sql.Identifier(there), row, sql.Identifier(here))
            for there, here in self.match
        ]
        return sql.SQL(NOT_THERE).format(
            into=self.into, same=sql.SQL(" AND ").join(same), per_row=sql.SQL(" OFFSET 0" if per_row else "")
        )

    def as_json(self) -> dict[str, Any]:
        """JSON values, kept with the job."""
        return {
            "schema": self.schema,
            "name": self.name,
            "columns": list(self.columns),
            "list_text": self.list_text,
            "match": [list(pair) for pair in self.match],
            "locks_rows": self.locks_rows,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Copy":
        """The copy that ``as_json`` wrote."""
        columns, match = tuple(content["columns"]), tuple((there, here) for there, here in content["match"])
        return cls(**{**content, "columns": columns, "match": match})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The change of one table with storage."""

    action: Action
    relation: tuple[str, str]
    #: what the texts call the table
    alias: str
    expressions: Expressions
    copy: Copy | None = None

    @classmethod
    def of(cls, definition: BackfillDefinition, table: Table, alias: str, copy: Copy | None) -> "Change":
        """What ``definition`` does to the rows of ``table``."""
        relation, expressions = (table.schema, table.name), definition.expressions
        return cls(action=definition.action, relation=relation, alias=alias, expressions=expressions, copy=copy)

    @property
    def row(self) -> sql.Identifier:
        """The row, as the statement names it."""
        return sql.Identifier(self.alias)

    def named(self) -> sql.Composable:
        """`` AS alias`` where the table is not called by its own name anyway."""
        return sql.SQL("") if self.alias == self.relation[1] else sql.SQL(" AS {}").format(self.row)

    def where(self) -> sql.SQL:
        """The condition as it was written, on a line of its own wherever it is put."""
        return literal_sql(self.expressions.where_text)

    def unfinished(self) -> sql.Composed:
        """The condition of the rows that are still to be done, where the change ends it."""
        where = sql.SQL("(\n{}\n)").format(self.where())
        if self.copy is None or not self.copy.match:
            return where
        return sql.SQL("{} AND {}").format(where, self.copy.not_there(self.row, per_row=False))

    def still(self) -> sql.Composed:
        """For RETURNING: whether an updated row matches all the same."""
        return sql.SQL("(\n{}\n) AS still").format(self.where())

    def statement(self, rows: sql.Composable, *, returning: sql.Composable = _NOT_ASKED, is_sweep: bool = False) -> sql.Composed:
        """The change of ``rows`` that match; ``is_sweep``: a copy leaves out what is there already.

        ``returning`` may name the row as ``row`` does, and a copy's new row ``headgate_into``.
        """
        words = {
            "relation": relation_sql(*self.relation),
            "alias": self.named(),
            "rows": rows,
            "where": self.where(),
            "list": literal_sql(self.expressions.set_text + "\n"),
            "returning": returning,
        }
        if self.copy is not None:
            return self._copy(self.copy, words, is_sweep=is_sweep)
        return sql.SQL(DELETE if self.action == "delete" else UPDATE).format(**words)

    def _copy(self, copy: Copy, words: dict[str, Any], *, is_sweep: bool) -> sql.Composed:
        nothing = sql.SQL("")
        there = sql.SQL(", ").join(sql.Identifier(column) for column, _ in copy.match)
        return sql.SQL(COPY).format(
            **{**words, "list": literal_sql(copy.list_text + "\n")},
            into=copy.into,
            columns=sql.SQL(", ").join(map(sql.Identifier, copy.columns)),
            left_out=sql.SQL("AND {}").format(copy.not_there(self.row, per_row=True)) if is_sweep and copy.match else nothing,
            lock=sql.SQL("FOR KEY SHARE OF {}").format(self.row) if copy.locks_rows else nothing,
            conflict=sql.SQL("ON CONFLICT ({}) DO NOTHING").format(there) if copy.match else nothing,
        )
