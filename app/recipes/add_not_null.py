"""G2: NOT NULL on a column that is in use."""

from app.recipes.constraints import count_nulls, not_null, slug
from app.recipes.draft import Draft
from app.recipes.recipe import Recipe
from app.recipes.site import Site
from app.sql.names import quote_identifier as q
from app.sql.tree import strings


def _column(site: Site) -> str | None:
    """The column that gets NOT NULL: by SET NOT NULL, or by a constraint of that kind."""
    if site.command.get("subtype") == "AT_SetNotNull":
        return str(site.command["name"])
    constraint = site.command.get("def", {}).get("Constraint", {})
    if site.command.get("subtype") == "AT_AddConstraint" and constraint.get("contype") == "CONSTR_NOTNULL":
        return None if constraint.get("skip_validation") else strings(constraint.get("keys"))[0]
    return None


def _applies(site: Site) -> bool:
    name = _column(site)
    column = site.column(name) if name and site.there.kind in {"table", "partitioned table"} else None
    return name is not None and not (column and column.not_null)


def _build(site: Site) -> Draft:
    draft, name = Draft(), _column(site) or ""
    column = site.column(name)
    draft.gate(
        "expand",
        f"{slug(name)}-written",
        f"Nothing writes NULL into {name}",
        f"No release that runs writes NULL into {name} of {site.there.name} any more: soon it is refused.",
    )
    if column is not None and column.default is not None and column.default.upper() != "NULL":
        draft.backfill(
            "migrate",
            f"fill-{slug(name)}",
            f"Fill {name} with its default where it is NULL",
            table=site.table,
            assign=f"{q(name)} = {column.default}",
            where=f"{q(name)} IS NULL",
            reason="Rows that had no value keep the default: nothing that was there is lost.",
        )
    count_nulls(draft, "migrate", site, name)
    constraint = site.command.get("def", {}).get("Constraint", {})
    not_null(draft, "contract", site, name, name=constraint.get("conname"))
    return draft


ADD_NOT_NULL = Recipe(
    id="add-not-null",
    title="Prove NOT NULL beside the traffic",
    sentence="Counts the NULLs, adds NOT NULL without a scan, then validates it while others read and write.",
    applies=_applies,
    build=_build,
)
