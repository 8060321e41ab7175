"""G8 for a table: out of the way by another name first, gone when nobody has missed it."""

from app.recipes.constraints import slug
from app.recipes.draft import Draft
from app.recipes.recipe import Recipe
from app.recipes.site import Site
from app.sql.names import quote_identifier as q


def _applies(site: Site) -> bool:
    body = site.body
    if site.statement.kind != "DropStmt" or site.relation is None or len(body.get("objects", ())) != 1:
        return False
    referring = any(
        item.references == site.there.name
        for relation in site.schema.relations.values()
        if relation.name != site.there.name
        for item in relation.constraints
    )
    is_used = referring or bool(site.there.dependents)
    return body.get("behavior") != "DROP_CASCADE" and site.there.kind == "table" and not is_used


def _build(site: Site) -> Draft:
    draft, table, bare = Draft(), site.table, site.bare
    draft.gate(
        "contract",
        f"{slug(bare)}-unused",
        f"Nothing uses {bare} any more",
        f"A release that neither reads nor writes {site.there.name} is live everywhere.",
    )
    for item in site.there.constraints:
        if item.kind == "foreign key" and item.references != site.there.name:
            draft.sql(
                "contract",
                f"{slug(item.name)}-off",
                f"Let go of {item.references}",
                f"ALTER TABLE {table} DROP CONSTRAINT {q(item.name)}",
                undo=(
                    f"ALTER TABLE {table} ADD CONSTRAINT {q(item.name)} {item.definition.removesuffix(' NOT VALID')} NOT VALID",
                    *((f"ALTER TABLE {table} VALIDATE CONSTRAINT {q(item.name)}",) if item.is_validated else ()),
                ),
            )
    aside = site.name("dropped")
    draft.sql(
        "contract",
        f"{slug(bare)}-aside",
        f"Move {bare} out of the way",
        f"ALTER TABLE {table} RENAME TO {q(aside)}",
        undo=(f"ALTER TABLE {site.in_schema(aside)} RENAME TO {q(bare)}",),
    )
    draft.answer(f"{slug(bare)}-aside", "The gate before it says that nothing uses the table any more.", "rename-breaks-readers")
    draft.gate(
        "contract",
        f"{slug(bare)}-not-missed",
        f"Nobody misses {bare}",
        f"Enough time has passed without a query that asked for {site.there.name}. A week is usual.",
    )
    draft.sql(
        "contract",
        f"drop-{slug(bare)}",
        f"Drop {bare}",
        f"DROP TABLE {site.in_schema(aside)}",
        grade="irreversible",
        reason="The rows are gone; only a backup has them.",
    )
    return draft


DROP_TABLE = Recipe(
    id="drop-table",
    title="Move the table aside first, drop it later",
    sentence="Waits for the release that no longer uses the table, renames it, and drops it when nobody has missed it.",
    applies=_applies,
    build=_build,
)
