"""G5, G6, G7: CHECK, foreign keys, UNIQUE and PRIMARY KEY on a table that is in use."""

from app.recipes.constraints import check, foreign_key, referenced, unique
from app.recipes.draft import Draft
from app.recipes.recipe import Recipe
from app.recipes.site import Site
from app.sql.tree import Node, strings

#: from this version on a foreign key of a partitioned table may be NOT VALID
_PARTITIONED_FOREIGN_KEY = 18


def constraint_of(site: Site, *kinds: str) -> Node | None:
    """The constraint that an ALTER TABLE adds, where it is one of these kinds and PostgreSQL would prove it at once."""
    found: Node = site.command.get("def", {}).get("Constraint", {}) if site.command.get("subtype") == "AT_AddConstraint" else {}
    if found.get("contype") not in kinds or found.get("skip_validation") or not found.get("is_enforced", True):
        return None
    return found


def _is_check(site: Site) -> bool:
    found = constraint_of(site, "CONSTR_CHECK")
    return found is not None and site.there.kind in {"table", "partitioned table"}


def _is_foreign_key(site: Site) -> bool:
    found = constraint_of(site, "CONSTR_FOREIGN")
    if found is None or found.get("fk_with_period") or found.get("fk_matchtype") == "f" or referenced(site, found) is None:
        return False
    if len(strings(found.get("fk_attrs"))) != len((referenced(site, found) or (None, ()))[1]):
        return False
    # an index on a partitioned table takes a recipe of its own
    return site.there.kind == "table" or (site.there.kind == "partitioned table" and site.version >= _PARTITIONED_FOREIGN_KEY)


def is_plain_key(site: Site, found: Node | None) -> bool:
    """True for a key that an index built beforehand can become."""
    special = ("indexname", "without_overlaps", "options", "indexspace", "access_method")
    return found is not None and bool(found.get("keys")) and not any(found.get(name) for name in special) and is_plain(site)


def is_plain(site: Site) -> bool:
    """True for a table without partitions and heirs."""
    heirs = any(site.there.name in relation.parents for relation in site.schema.relations.values())
    return site.there.kind == "table" and not heirs


def _build_check(site: Site) -> Draft:
    draft = Draft()
    check(draft, "expand", site, constraint_of(site, "CONSTR_CHECK") or {})
    return draft


def _build_foreign_key(site: Site) -> Draft:
    draft = Draft()
    foreign_key(draft, "expand", site, constraint_of(site, "CONSTR_FOREIGN") or {})
    return draft


def _build_key(site: Site) -> Draft:
    draft = Draft()
    unique(draft, "expand", site, constraint_of(site, "CONSTR_UNIQUE", "CONSTR_PRIMARY") or {})
    return draft


ADD_CHECK = Recipe(
    id="add-check",
    title="Add the constraint first, prove it beside the traffic",
    sentence="Counts violators, adds the CHECK without a scan, then validates it while others read and write.",
    applies=_is_check,
    build=_build_check,
)
ADD_FOREIGN_KEY = Recipe(
    id="add-foreign-key",
    title="Add the foreign key first, prove it beside the traffic",
    sentence="Indexes the referring columns, counts orphans, adds the key without a scan, then validates it.",
    applies=_is_foreign_key,
    build=_build_foreign_key,
)
ADD_UNIQUE = Recipe(
    id="add-unique",
    title="Build the index beside the traffic, then make it the constraint",
    sentence="Counts duplicates, builds the unique index concurrently, and turns it into the constraint in milliseconds.",
    applies=lambda site: is_plain_key(site, constraint_of(site, "CONSTR_UNIQUE")),
    build=_build_key,
)
ADD_PRIMARY_KEY = Recipe(
    id="add-primary-key",
    title="Build the index beside the traffic, then make it the primary key",
    sentence="Proves that the columns hold no NULL and no duplicates, builds the index concurrently, and adopts it.",
    applies=lambda site: is_plain_key(site, constraint_of(site, "CONSTR_PRIMARY")),
    build=_build_key,
)
