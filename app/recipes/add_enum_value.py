"""A new value of an enum: the application must know it before anybody writes it, and it stays for ever."""

from app.recipes.constraints import slug
from app.recipes.draft import Draft
from app.recipes.recipe import Recipe
from app.recipes.site import Site
from app.sql.deparse import sql_of
from app.sql.names import from_strings


def _applies(site: Site) -> bool:
    return site.statement.kind == "AlterEnumStmt" and "oldVal" not in site.body and not site.body.get("skipIfNewValExists")


def _build(site: Site) -> Draft:
    draft, value, name = Draft(), str(site.body["newVal"]), from_strings(site.body["typeName"])
    draft.gate(
        "expand",
        f"{slug(name, value)}-understood",
        f"Every release understands {value}",
        f"Every release that runs can read the value {value} of {name}: it may meet it from the next step on.",
    )
    draft.sql(
        "expand",
        f"{slug(name, value)}",
        f"Add {value} to {name}",
        sql_of({"AlterEnumStmt": {**site.body, "skipIfNewValExists": True}}),
        grade="irreversible",
        reason="PostgreSQL can't take a value out of an enum. One that nobody writes does no harm.",
    )
    return draft


ADD_ENUM_VALUE = Recipe(
    id="add-enum-value",
    title="Let every release understand the value first",
    sentence="Waits until every release can read the new value, then adds it in a step of its own.",
    applies=_applies,
    build=_build,
)
