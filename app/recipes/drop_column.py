"""G8: a column goes after the application has let go of it, and its values stay aside until nobody misses them."""

from dataclasses import replace

from app.recipes.constraints import slug
from app.recipes.draft import Draft
from app.recipes.recipe import Recipe
from app.recipes.site import Site
from app.sql.inverse.restore import column_definition, column_extras
from app.sql.names import quote_identifier as q


def _column(site: Site) -> str:
    return str(site.command.get("name", ""))


def _key(site: Site) -> tuple[str, ...]:
    """The primary key, where the column is no part of it."""
    found = next((item.columns for item in site.there.constraints if item.kind == "primary key"), ())
    return () if _column(site) in found else found


def _applies(site: Site) -> bool:
    command = site.command
    if command.get("subtype") != "AT_DropColumn" or command.get("behavior") == "DROP_CASCADE" or command.get("missing_ok"):
        return False
    column = site.column(_column(site))
    is_used = any(_column(site) in dependent.columns for dependent in site.there.dependents)
    return column is not None and site.there.kind in {"table", "partitioned table"} and not is_used


def _build(site: Site) -> Draft:
    draft, name = Draft(), _column(site)
    column = site.column(name)
    if column is None:
        raise ValueError("The column is not known.")
    alter = f"ALTER TABLE {site.table} ALTER COLUMN {q(name)}"
    is_plain = not column.identity and not column.generated
    in_key = any(name in item.columns for item in site.there.constraints if item.kind == "primary key")
    if column.not_null and column.default is None and is_plain and not in_key:
        draft.sql(
            "expand",
            f"{slug(name)}-optional",
            f"Rows may leave {name} out, so that a release that does not know it can write",
            f"{alter} DROP NOT NULL",
            undo=(f"{alter} SET NOT NULL",),
            reason="Scans the table under a lock, and is refused where rows without a value were written since.",
        )
    draft.gate(
        "contract",
        f"{slug(name)}-unused",
        f"Nothing uses {name} any more",
        f"A release that neither reads nor writes {name} of {site.there.name} is live everywhere.",
    )
    if _key(site) and is_plain:
        _with_values_kept(draft, site)
    else:
        _without_values(draft, site)
    return draft


def _without_values(draft: Draft, site: Site) -> None:
    name = _column(site)
    draft.sql(
        "contract",
        f"drop-{slug(name)}",
        f"Drop {name}",
        f"ALTER TABLE {site.table} DROP COLUMN {q(name)}",
        grade="irreversible",
        reason=f"The values of {name} are gone; only a backup has them.",
    )


def _with_values_kept(draft: Draft, site: Site) -> None:
    name, key = _column(site), _key(site)
    saved, listed = site.in_schema(site.name(name, "saved")), ", ".join(q(column) for column in key)
    draft.sql(
        "contract",
        f"save-{slug(name)}",
        f"Keep the values of {name} aside",
        f"CREATE TABLE {saved} AS SELECT {listed}, {q(name)} FROM {site.table}",  # noqa: S608 - quoted identifiers in a plan's step
        undo=(f"DROP TABLE IF EXISTS {saved}",),
    )
    draft.sql(
        "contract",
        f"drop-{slug(name)}",
        f"Drop {name}",
        f"ALTER TABLE {site.table} DROP COLUMN {q(name)}",
        undo=_back(site, saved),
        grade="loses-new-writes",
        reason=f"The column comes back behind the others; rows written since have no {name}.",
    )
    draft.gate(
        "contract",
        f"{slug(name)}-not-missed",
        f"Nobody misses {name}",
        f"Enough time has passed: the values of {name} that were kept aside are not needed any more. A week is usual.",
    )
    draft.sql(
        "contract",
        f"forget-{slug(name)}",
        f"Drop what was kept of {name}",
        f"DROP TABLE {saved}",
        grade="irreversible",
        reason=f"The values of {name} are gone; only a backup has them.",
    )


def _back(site: Site, saved: str) -> tuple[str, ...]:
    """The column, its values, then what hangs on it; NOT NULL is put back by the step that took it away."""
    name, match = _column(site), " AND ".join(f"s.{q(column)} = t.{q(column)}" for column in _key(site))
    column = site.column(name)
    if column is None:
        raise ValueError("The column is not known.")
    relaxed = replace(column, not_null=column.not_null and column.default is not None)
    constraints = tuple(item for item in site.there.constraints if item.kind != "not null" or relaxed.not_null)
    extras = column_extras(replace(site.there, constraints=constraints), relaxed)
    return (
        f"ALTER TABLE {site.table} ADD COLUMN {column_definition(column)}",
        f"UPDATE {site.table} AS t SET {q(name)} = s.{q(name)} FROM {saved} AS s WHERE {match}",  # noqa: S608 - quoted identifiers
        *extras,
    )


DROP_COLUMN = Recipe(
    id="drop-column",
    title="Let the application go first, keep the values aside",
    sentence="Waits for the release that no longer uses the column, keeps its values, drops it, and forgets the values later.",
    applies=_applies,
    build=_build,
)
