"""Access rights of relations: what was granted before, and the statements that bring it back."""

import re
from collections.abc import Iterable

from app.catalog.records import Relation
from app.sql.inverse.known import Known
from app.sql.inverse.undo import Undo, exact, in_reverse, manual, nothing
from app.sql.names import quote_identifier
from app.sql.split import Statement
from app.sql.tree import Node

#: letters of an aclitem; MAINTAIN is there from PostgreSQL 17 on
_PRIVILEGES = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
    "m": "MAINTAIN",
}
_MAINTAIN_SINCE = 170000
_ITEM = re.compile(r'(?P<grantee>"(?:[^"]|"")*"|[^=]*)=(?P<letters>[a-zA-Z*]*)/(?P<grantor>.+)')


def relation_sql(name: str) -> str:
    """A relation's qualified name as the catalog's records hold it, as SQL."""
    namespace, _, bare = name.partition(".")
    return f"{quote_identifier(namespace)}.{quote_identifier(bare)}"


def owner_and_grants(relation: Relation, word: str) -> list[str]:
    """What gives a relation that was made again its owner and its rights back."""
    name = relation_sql(relation.name)
    statements = [f"ALTER {word} {name} OWNER TO {quote_identifier(relation.owner)}"] if relation.owner else []
    for grantee, granted in privileges(relation).items():
        if grantee == relation.owner:
            continue
        plain = [privilege for privilege, with_option in granted.items() if not with_option]
        passed_on = [privilege for privilege, with_option in granted.items() if with_option]
        target = f"ON TABLE {name} TO {_role(grantee)}"
        statements += [f"GRANT {', '.join(plain)} {target}"] if plain else []
        statements += [f"GRANT {', '.join(passed_on)} {target} WITH GRANT OPTION"] if passed_on else []
    return statements


def privileges(relation: Relation) -> dict[str, dict[str, bool]]:
    """Grantee ("" for PUBLIC) -> privilege -> may it be passed on."""
    found: dict[str, dict[str, bool]] = {}
    for item in relation.grants:
        match = _ITEM.fullmatch(item)
        if match is not None:
            granted = found.setdefault(match["grantee"].strip('"').replace('""', '"'), {})
            for letter, star in re.findall(r"([a-zA-Z])(\*?)", match["letters"]):
                granted[_PRIVILEGES[letter]] = bool(star)
    return found


def _role(name: str) -> str:
    return quote_identifier(name) if name else "PUBLIC"


def undo_grant(statement: Statement, known: Known) -> Undo:
    """GRANT and REVOKE of rights on tables and views; on what the same plan makes they go with it."""
    body = statement.body
    entries = body.get("objects", ())
    names = [item["RangeVar"] for item in entries if "RangeVar" in item]
    if not names or len(names) != len(entries) or body.get("targtype") != "ACL_TARGET_OBJECT":
        return manual("What was granted before is not known.")
    if all(known.is_made("table", known.key(name)) for name in names):
        return nothing("It goes with what the same plan makes.")
    if body.get("grant_option") or body.get("behavior") == "DROP_CASCADE" or "grantor" in body:
        return manual("There is no rule for undoing grant options.")
    asked = _asked(body.get("privileges", ()), known)
    grantees = _grantees(body.get("grantees", ()))
    relations = [known.relation(known.key(name)) for name in names]
    if asked is None or grantees is None or any(item is None or known.is_stale(item.name, "grants") for item in relations):
        return manual("What was granted before is not known.")
    found = [relation for relation in relations if relation is not None]
    return in_reverse([_undo_one(relation, grantee, asked, body) for relation in found for grantee in grantees])


def _asked(entries: Iterable[Node], known: Known) -> list[str] | None:
    items = [entry["AccessPriv"] for entry in entries]
    if any("cols" in item for item in items):
        return None
    if not items:
        version = known.schema.server_version_num if known.schema is not None else 0
        return [name for name in _PRIVILEGES.values() if name != "MAINTAIN" or version >= _MAINTAIN_SINCE]
    return [str(item["priv_name"]).upper() for item in items]


def _grantees(entries: Iterable[Node]) -> list[str] | None:
    specs = [entry["RoleSpec"] for entry in entries]
    if any(spec.get("roletype") not in {"ROLESPEC_CSTRING", "ROLESPEC_PUBLIC"} for spec in specs):
        return None
    return [str(spec.get("rolename", "")) for spec in specs]


def _undo_one(relation: Relation, grantee: str, asked: list[str], body: Node) -> Undo:
    before = privileges(relation).get(grantee, {})
    had = [privilege for privilege in asked if privilege in before]
    target = f"ON TABLE {relation_sql(relation.name)}"
    if grantee == relation.owner or any(before[privilege] for privilege in had):
        return manual("The rights of the owner, and rights that may be passed on, have no rule.")
    if body.get("is_grant"):
        added = [privilege for privilege in asked if privilege not in before]
        return exact(f"REVOKE {', '.join(added)} {target} FROM {_role(grantee)}") if added else nothing("It was granted before.")
    return exact(f"GRANT {', '.join(had)} {target} TO {_role(grantee)}") if had else nothing("It was not granted before.")
