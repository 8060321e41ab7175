"""G11 and G12: an index on a table that is in use, partitions one by one."""

from collections.abc import Iterator
from typing import Any

from app.catalog.records import Relation
from app.recipes.constraints import built, no_duplicates, slug, valid
from app.recipes.draft import Draft
from app.recipes.recipe import Recipe
from app.recipes.site import Site, range_var
from app.sql.deparse import sql_of
from app.sql.inverse.chosen_names import chosen_index_name, index_columns, joined_columns, object_name
from app.sql.inverse.grants import relation_sql
from app.sql.inverse.known import Known
from app.sql.tree import Node


def _is_index(site: Site) -> bool:
    return site.statement.kind == "IndexStmt" and not site.body.get("concurrent") and not site.body.get("if_not_exists")


def _name(site: Site, relation: Relation) -> str:
    """As PostgreSQL would choose it for that table."""
    body = {key: value for key, value in site.body.items() if key != "idxname"}
    chosen = chosen_index_name(Known(schema=site.schema), relation.name, body)
    columns = joined_columns(index_columns(body) or ["expr"])
    return chosen or object_name(relation.name.partition(".")[2], columns, "idx")


def _partitions(site: Site) -> list[Relation]:
    return [relation for relation in site.schema.relations.values() if site.there.name in relation.parents]


def _create(site: Site, relation: Relation, name: str, **changes: Any) -> str:
    return sql_of({"IndexStmt": {**site.body, "idxname": name, "relation": range_var(relation.name), **changes}})


def _plain_columns(body: Node) -> tuple[str, ...]:
    elements = [element["IndexElem"] for element in body.get("indexParams", ())]
    is_plain = all("name" in element for element in elements) and "whereClause" not in body
    return tuple(str(element["name"]) for element in elements) if is_plain else ()


def _build(site: Site) -> Draft:
    draft, name = Draft(), str(site.body.get("idxname") or _name(site, site.there))
    columns = _plain_columns(site.body)
    if site.body.get("unique") and columns:
        no_duplicates(draft, "expand", site, name, columns, nulls_count=bool(site.body.get("nulls_not_distinct")))
    built(draft, "expand", site, name, _create(site, site.there, name, concurrent=True))
    return draft


def _named_partitions(site: Site) -> Iterator[tuple[Relation, str]]:
    taken: set[str] = set()
    for partition in _partitions(site):
        name = base = _name(site, partition)
        number = 0
        while name in taken:
            number += 1
            name = f"{base}{number}"
        taken.add(name)
        yield partition, name


def _build_partitioned(site: Site) -> Draft:
    draft, name = Draft(), str(site.body.get("idxname") or _name(site, site.there))
    only = {**site.range_var, "inh": False}
    draft.sql(
        "expand",
        f"{slug(name)}-parent",
        f"Make {name}, without its parts",
        sql_of({"IndexStmt": {**site.body, "idxname": name, "relation": only}}),
        undo=(f"DROP INDEX IF EXISTS {site.in_schema(name)}",),
    )
    for partition, part in _named_partitions(site):
        namespace, _, bare = partition.name.partition(".")
        there = relation_sql(f"{namespace}.{part}")
        draft.sql(
            "expand",
            f"{slug(name, bare)}",
            f"Build its part on {bare} beside the traffic",
            _create(site, partition, part, concurrent=True),
            undo=(f"DROP INDEX CONCURRENTLY IF EXISTS {there}",),
        )
        draft.sql(
            "expand",
            f"{slug(name, bare)}-attached",
            f"Attach the part on {bare}",
            f"ALTER INDEX {site.in_schema(name)} ATTACH PARTITION {there}",
            # dropping the parent takes the attached parts along, and no part can be detached; the others are undone by then
            undo=(f"DROP INDEX IF EXISTS {site.in_schema(name)}",),
            reason="An attached part can't be detached: the whole index goes.",
        )
    valid(draft, "expand", site, name)
    return draft


def _applies(site: Site) -> bool:
    return _is_index(site) and site.there.kind in {"table", "materialized view"}


def _applies_partitioned(site: Site) -> bool:
    is_there = _is_index(site) and site.there.kind == "partitioned table" and site.body["relation"].get("inh", False)
    return is_there and all(partition.kind == "table" for partition in _partitions(site))


ADD_INDEX = Recipe(
    id="add-index",
    title="Build the index beside the traffic",
    sentence="Builds it with CREATE INDEX CONCURRENTLY, which blocks nobody, and looks whether it is valid.",
    applies=_applies,
    build=_build,
)
ADD_INDEX_PARTITIONED = Recipe(
    id="add-index-partitioned",
    title="Build the index partition by partition",
    sentence="Makes the index of the parent alone, builds each partition's part concurrently, and attaches them.",
    applies=_applies_partitioned,
    build=_build_partitioned,
)
