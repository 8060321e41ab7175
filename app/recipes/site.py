"""Where a recipe works: one statement, the table that it changes as the catalog knows it, and the names that are free there."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from app.catalog.records import Column, Relation, Schema
from app.sql.deparse import sql_of
from app.sql.inverse.chosen_names import chosen_constraint_name, object_name
from app.sql.inverse.grants import relation_sql
from app.sql.inverse.known import Known
from app.sql.names import quote_identifier
from app.sql.split import Statement
from app.sql.tree import Node, commands


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One statement in its place; ``relation`` is None for statements that change no table."""

    statement: Statement
    schema: Schema
    #: major version of the server
    version: int
    relation: Relation | None = None

    @property
    def body(self) -> Node:
        """What the root of the statement's tree holds."""
        return self.statement.body

    @property
    def there(self) -> Relation:
        """The table.

        Raises ValueError where the statement changes none.
        """
        if self.relation is None:
            raise ValueError("The statement changes no table that the catalog knows.")
        return self.relation

    @property
    def command(self) -> Node:
        """The only command of an ALTER TABLE; empty for every other statement."""
        return next(commands(self.body), {}) if self.statement.kind == "AlterTableStmt" else {}

    @property
    def table(self) -> str:
        """The table as SQL, qualified."""
        return relation_sql(self.there.name)

    @property
    def namespace(self) -> str:
        """The name of the table's schema."""
        return self.there.name.partition(".")[0]

    @property
    def bare(self) -> str:
        """The table's name without its schema."""
        return self.there.name.partition(".")[2]

    @property
    def range_var(self) -> dict[str, Any]:
        """The table as the body of a RangeVar."""
        return range_var(self.there.name)

    def in_schema(self, name: str) -> str:
        """An object beside the table, as SQL."""
        return f"{quote_identifier(self.namespace)}.{quote_identifier(name)}"

    def column(self, name: str) -> Column | None:
        """The table's column of that name."""
        return self.there.column(name)

    def with_column(self, column: Column) -> "Site":
        """The same after the column was added."""
        relation = replace(self.there, columns=(*self.there.columns, column))
        schema = replace(self.schema, relations={**self.schema.relations, relation.name: relation})
        return replace(self, relation=relation, schema=schema)

    def named(self, constraint: Node) -> str:
        """The constraint's name: as written, or the one that PostgreSQL would choose."""
        written = constraint.get("conname")
        chosen = written or chosen_constraint_name(Known(schema=self.schema), self.there.name, constraint)
        return str(chosen or object_name(self.bare, None, "constraint"))

    def name(self, *parts: str) -> str:
        """A name for an object of our own, cut to what PostgreSQL keeps, with the table's name before it."""
        return object_name(self.bare, "_".join(parts[:-1]) or None, parts[-1])


def range_var(name: str) -> dict[str, Any]:
    """A relation's qualified name, as the catalog's records hold it, as the body of a RangeVar."""
    namespace, _, bare = name.partition(".")
    return {"schemaname": namespace, "relname": bare, "inh": True, "relpersistence": "p"}


def site_of(statement: Statement, schema: Schema | None, server_version: int) -> Site | None:
    """The site of a statement; None without a catalog, for an ALTER TABLE of several commands, and for unknown tables."""
    if schema is None or not statement.node:
        return None
    name = _changed_table(statement)
    if name is None:
        is_type = statement.kind == "AlterEnumStmt"
        return Site(statement=statement, schema=schema, version=server_version) if is_type else None
    relation = schema.relations.get(schema.resolve(name) or "")
    several = statement.kind == "AlterTableStmt" and len(statement.body.get("cmds", ())) != 1
    if relation is None or several:
        return None
    return Site(statement=statement, schema=schema, version=server_version, relation=relation)


def _changed_table(statement: Statement) -> str | None:
    node = statement.body.get("relation")
    if isinstance(node, dict) and "relname" in node:
        return ".".join(part for part in (node.get("schemaname"), node["relname"]) if part)
    if statement.kind == "DropStmt" and statement.body.get("removeType") == "OBJECT_TABLE":
        items = statement.body["objects"][0].get("List", {}).get("items", ())
        return ".".join(item["String"]["sval"] for item in items)
    return None


def single_commands(statement: Statement) -> tuple[Statement, ...]:
    """The statement, or one for each command of an ALTER TABLE that has several."""
    listed = statement.body.get("cmds", ()) if statement.kind == "AlterTableStmt" else ()
    if len(listed) < 2:  # noqa: PLR2004 - one command stays as it is written
        return (statement,)
    return tuple(_with_commands(statement, [command]) for command in listed)


def _with_commands(statement: Statement, listed: Iterable[Node]) -> Statement:
    node = {statement.kind: {**statement.body, "cmds": list(listed)}}
    return replace(statement, node=node, text=sql_of(node), offset=0)


def joined_commands(statements: Iterable[Statement]) -> Statement:
    """The opposite: the commands of ALTER TABLEs of one table in one statement."""
    every = list(statements)
    if len(every) == 1:
        return every[0]
    return _with_commands(every[0], [command for statement in every for command in statement.body["cmds"]])
