"""What is known of the database at one point of a script: the catalog as it was, and what statements before have changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.catalog.records import Column, Constraint, Index, Relation, Schema, Trigger
from app.sql.names import quote_identifier
from app.sql.tree import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The catalog before a statement; ``schema`` is None where no target was asked, or where a DO block may have changed it."""

    schema: Schema | None
    #: ("table", "public.t"), ("column", "public.t.c"), ...: made by statements before
    made: frozenset[tuple[str, str]] = frozenset()
    #: the schema that a SET search_path before has put first, or ""
    home: str = ""
    #: (object, aspect) that statements before have changed in a way that is not followed
    stale: frozenset[tuple[str, str]] = frozenset()

    def key(self, name: Node) -> str:
        """The qualified name of a RangeVar; where no schema is written, the one it is found in or would be made in."""
        return self.key_of(name.get("schemaname", ""), str(name["relname"]))

    def key_of(self, schema_name: str, name: str) -> str:
        """As ``key``, from the parts of the name; without a catalog an unqualified name stays as it is."""
        if schema_name:
            return f"{schema_name}.{name}"
        if self.schema is None:
            return f"{self.home}.{name}" if self.home else name
        found = self.schema.resolve(name)
        return found or f"{self.home or (self.schema.search_path or ('public',))[0]}.{name}"

    def sql(self, name: Node) -> str:
        """A RangeVar as SQL, qualified where the catalog knows its schema."""
        return self.sql_of(name.get("schemaname", ""), str(name["relname"]))

    def sql_of(self, schema_name: str, name: str) -> str:
        """As ``sql``, from the parts of the name."""
        if not schema_name and self.schema is not None and (found := self.schema.resolve(name)):
            schema_name = found[: -len(name) - 1]
        schema_name = schema_name or self.home
        return f"{quote_identifier(schema_name)}.{quote_identifier(name)}" if schema_name else quote_identifier(name)

    def relation(self, key: str) -> Relation | None:
        """The catalog's record of a relation, or None where it is not known (any more)."""
        if self.schema is None or self.is_made("table", key) or (key, "all") in self.stale:
            return None
        return self.schema.relations.get(key)

    def relation_exists(self, key: str) -> bool | None:
        """None where nobody can tell."""
        if self.is_made("table", key):
            return True
        if self.schema is None or (key, "all") in self.stale:
            return None
        return key in self.schema.relations or self.index(key) is not None

    def index(self, key: str) -> Index | None:
        """The catalog's record of an index by its qualified name."""
        return next((index for index in self._indexes() if index.name == key), None)

    def index_key(self, parts: tuple[str, ...]) -> str:
        """The qualified name of an index from the parts written, looked up along the search_path."""
        if len(parts) > 1 or self.schema is None:
            return ".".join(parts)
        names = {index.name for index in self._indexes()}
        return next((name for path in self.schema.search_path if (name := f"{path}.{parts[0]}") in names), parts[0])

    def _indexes(self) -> Iterator[Index]:
        for relation in self.schema.relations.values() if self.schema is not None else ():
            yield from relation.indexes

    def is_made(self, kind: str, key: str) -> bool:
        """True where a statement before has made this object."""
        return (kind, key) in self.made

    def is_decorated(self, what: str) -> bool:
        """True where the catalog has something on an object that its record does not hold: ``index public.users_nick_idx``."""
        return self.schema is not None and what in self.schema.decorated

    def is_stale(self, key: str, aspect: str) -> bool:
        """True where a statement before has changed this aspect in a way that is not followed."""
        return (key, aspect) in self.stale or (key, "all") in self.stale

    def column(self, key: str, name: str) -> Column | None:
        """The catalog's record of a column, as statements before have left it."""
        relation = self.relation(key)
        return relation.column(name) if relation is not None else None

    def children(self, key: str) -> list[Relation]:
        """Partitions and inheriting tables of a relation."""
        if self.schema is None:
            return []
        return [relation for relation in self.schema.relations.values() if key in relation.parents]

    def with_made(self, kind: str, key: str) -> "Known":
        """The same after an object was made."""
        return replace(self, made=self.made | {(kind, key)})

    def with_stale(self, key: str, aspect: str) -> "Known":
        """The same after something happened to an aspect of an object that is not followed."""
        return replace(self, stale=self.stale | {(key, aspect)})

    def with_relation(self, key: str, **changes: Any) -> "Known":
        """The same after a change of a relation's record."""
        relation = self.relation(key)
        if self.schema is None or relation is None:
            return self
        return self._with_relations({**self.schema.relations, key: replace(relation, **changes)})

    def without_relation(self, key: str) -> "Known":
        """The same after a relation is gone."""
        made = self.made - {("table", key)}
        if self.schema is None or key not in self.schema.relations:
            return replace(self, made=made)
        relations = {name: relation for name, relation in self.schema.relations.items() if name != key}
        return replace(self._with_relations(relations), made=made)

    def _with_relations(self, relations: Mapping[str, Relation]) -> "Known":
        assert self.schema is not None  # noqa: S101 - the callers have just looked
        return replace(self, schema=replace(self.schema, relations=relations))


def find_constraint(relation: Relation | None, name: str) -> Constraint | None:
    """The constraint of that name in a record that may be missing."""
    return relation.constraint(name) if relation is not None else None


def find_trigger(relation: Relation | None, name: str) -> Trigger | None:
    """The trigger of that name in a record that may be missing."""
    return next((trigger for trigger in relation.triggers if trigger.name == name), None) if relation is not None else None


def literal(text: str) -> str:
    """A string literal."""
    quoted = "'" + text.replace("'", "''") + "'"
    return " E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def objects_of(body: Node) -> list[tuple[str, ...]]:
    """The names of a DropStmt's objects as their parts: [("public", "users")]."""
    return [parts_of(entry) for entry in body.get("objects", ())]


def parts_of(entry: Node) -> tuple[str, ...]:
    """The parts of a name in List, TypeName, ObjectWithArgs, RangeVar or String."""
    if "RangeVar" in entry:
        schema = entry["RangeVar"].get("schemaname")
        return (schema, entry["RangeVar"]["relname"]) if schema else (entry["RangeVar"]["relname"],)
    if "String" in entry:
        return (str(entry["String"].get("sval", "")),)
    if "List" in entry:
        items = entry["List"].get("items", ())
    elif "TypeName" in entry:
        items = entry["TypeName"].get("names", ())
    else:
        items = entry.get("ObjectWithArgs", {}).get("objname", ())
    return tuple(str(item["String"]["sval"]) for item in items if "String" in item)


def dotted(parts: tuple[str, ...]) -> str:
    """The parts of a name as SQL."""
    return ".".join(quote_identifier(part) for part in parts)
