"""Parts of a statement's text that have to come back as they were written."""

import re

from app.sql.inverse.known import parts_of
from app.sql.relations import in_order
from app.sql.scanner import masked
from app.sql.split import Statement, split
from app.sql.tree import Node, strings


def expression_after(statement: Statement, constraint: Node) -> str | None:
    """What follows ``CONSTRAINT name`` in the text, up to the next command; None where that can't be cut out for certain."""
    start = constraint.get("location", 0) - statement.offset
    text = statement.text.encode()
    if not 0 < start < len(text):
        return None
    tail = text[start:].decode(errors="replace")
    bare = masked(tail)
    match = re.match(r'constraint\s+(?:"(?:[^"]|"")*"|[^\s"]+)\s+', tail, re.IGNORECASE)
    if match is None:
        return None
    depth = 0
    for position in range(match.end(), len(bare)):
        depth += (bare[position] == "(") - (bare[position] == ")")
        if bare[position] == "," and depth == 0:
            return tail[match.end() : position].strip()
    return tail[match.end() :].strip() if depth == 0 else None


#: objects whose names have no schema
_WITHOUT_SCHEMA = frozenset({"OBJECT_SCHEMA", "OBJECT_EXTENSION", "OBJECT_PUBLICATION"})


def names_are_qualified(sql: str) -> bool:
    """True where no name in a statement depends on the search_path."""
    for statement in split(sql):
        body = statement.body
        if any("." not in name for name in in_order(statement.node)):
            return False
        has_schema = statement.kind == "DropStmt" and body.get("removeType") not in _WITHOUT_SCHEMA
        if has_schema and any(len(parts_of(entry)) == 1 for entry in body.get("objects", ())):
            return False
        for names in (body.get("typeName"), body.get("funcname"), body.get("object", {}).get("List", {}).get("items")):
            if names and len(strings(names)) == 1:
                return False
    return True


def without_concurrently(text: str) -> str:
    """CREATE INDEX as it builds the same index inside a transaction."""
    return re.sub(r"(?i)^(create\s+(?:unique\s+)?index\s+)concurrently\s+", r"\1", text.strip(), count=1)
