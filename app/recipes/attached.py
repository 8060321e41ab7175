"""What hangs on one column of a table, built a second time on a column that is to take its place."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.analysis.tables import parsed_constraint
from app.catalog.records import Column, Constraint, Index
from app.recipes.constraints import NAMED_NOT_NULL, not_valid
from app.recipes.rewriting import renamed
from app.recipes.site import Site, range_var
from app.sql.deparse import alter_table_sql, sql_of
from app.sql.inverse.chosen_names import object_name
from app.sql.inverse.grants import relation_sql
from app.sql.names import quote_identifier as q
from app.sql.split import split


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One statement that prepares the new column: what makes it, what undoes it, and whether it is the proof of one before."""

    id: str
    title: str
    create: str
    undo: tuple[str, ...] = ()
    is_proof: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The constraints and indexes of a column."""

    site: Site
    column: Column

    @property
    def indexes(self) -> tuple[Index, ...]:
        """Indexes that use the column, those behind constraints included."""
        return tuple(index for index in self.site.there.indexes if self.column.name in index.depends_on)

    @property
    def keys(self) -> tuple[Constraint, ...]:
        """Primary key and unique constraints."""
        return self._constraints("primary key", "unique")

    @property
    def rules(self) -> tuple[Constraint, ...]:
        """Checks and foreign keys of the table itself."""
        return self._constraints("check", "foreign key")

    @property
    def not_null_name(self) -> str | None:
        """The name of the NOT NULL constraint, of servers that name it."""
        return next((item.name for item in self._constraints("not null")), None)

    @property
    def referring(self) -> tuple[Constraint, ...]:
        """Foreign keys of any table that refer to the column."""
        return tuple(
            item
            for relation in self.site.schema.relations.values()
            for item in relation.constraints
            if item.references == self.site.there.name and self.column.name in item.referenced_columns
        )

    def _constraints(self, *kinds: str) -> tuple[Constraint, ...]:
        return tuple(item for item in self.site.there.constraints if item.kind in kinds and self.column.name in item.columns)

    def pieces(self, column: str) -> Iterator[Piece]:
        """Everything again on ``column``, under names of its own, in the order in which it can be made."""
        yield from (self._index(index, column) for index in self.indexes)
        if self.column.not_null:
            yield from self._not_null(column)
        for item in self.rules:
            yield from self._rule(item, column, self.site.table)
        for item in self.referring:
            yield from self._rule(item, column, relation_sql(item.relation))

    def _index(self, index: Index, column: str) -> Piece:
        name = aside(bare(index.name))
        body = split(index.definition)[0].body
        changed = renamed({"IndexStmt": body}, {self.column.name: column})["IndexStmt"]
        create = sql_of({"IndexStmt": {**changed, "idxname": name, "concurrent": True}})
        drop = f"DROP INDEX CONCURRENTLY IF EXISTS {self.site.in_schema(name)}"
        return Piece(id=bare(index.name), title=f"Build {bare(index.name)} on the new column", create=create, undo=(drop,))

    def _not_null(self, column: str) -> Iterator[Piece]:
        name = aside(self.not_null_name or object_name(self.site.bare, self.column.name, "not_null"))
        table, c = self.site.table, q(column)
        as_named = self.site.version >= NAMED_NOT_NULL
        definition = f"NOT NULL {c}" if as_named else f"CHECK ({c} IS NOT NULL)"
        add, drop = f"ALTER TABLE {table} ADD CONSTRAINT {q(name)} {definition} NOT VALID", f"ALTER TABLE {table} DROP CONSTRAINT"
        yield Piece(id="not-null", title="New rows need a value", create=add, undo=(f"{drop} IF EXISTS {q(name)}",))
        prove = f"ALTER TABLE {table} VALIDATE CONSTRAINT {q(name)}"
        yield Piece(id="not-null-proven", title="Prove that every row has a value", create=prove, is_proof=True)
        if not as_named:
            marked = f"ALTER TABLE {table} ALTER COLUMN {c} SET NOT NULL;\n{drop} {q(name)}"
            back = (f"ALTER TABLE {table} ALTER COLUMN {c} DROP NOT NULL",)
            yield Piece(id="not-null-set", title="Mark it as NOT NULL; the proof spares the scan", create=marked, undo=back)

    def _rule(self, item: Constraint, column: str, table: str) -> Iterator[Piece]:
        name = aside(item.name)
        node = parsed_constraint(item.definition)
        is_referring = item.references == self.site.there.name and self.column.name in item.referenced_columns
        if is_referring:
            keys = [{"String": {"sval": column if key == self.column.name else key}} for key in item.referenced_columns]
            changed = {**node, "pk_attrs": keys}
        else:
            changed = renamed({"Constraint": node}, {self.column.name: column})["Constraint"]
        add = alter_table_sql(
            range_var(item.relation), {"subtype": "AT_AddConstraint", "def": {"Constraint": not_valid(changed, name)}}
        )
        drop = (f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {q(name)}",)
        yield Piece(id=item.name, title=f"New rows obey {item.name} on the new column", create=add, undo=drop)
        prove = f"ALTER TABLE {table} VALIDATE CONSTRAINT {q(name)}"
        yield Piece(id=f"{item.name}-proven", title=f"Prove {item.name} on the new column", create=prove, is_proof=True)


def aside(name: str) -> str:
    """What an object is called until it takes the place of the one of that name."""
    return object_name(name, None, "new")


def bare(name: str) -> str:
    """A qualified name without its schema."""
    return name.partition(".")[2]
