"""Dual-write triggers: a column that follows others for as long as two releases of the application share the table."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.recipes.site import Site
from app.sql.names import quote_identifier as q


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """A function with its triggers."""

    create: tuple[str, ...]
    drop: tuple[str, ...]


def sync(site: Site, name: str, body: str, triggers: Sequence[tuple[str, str]]) -> Sync:
    """A trigger function of that name, called before the row is written; ``triggers`` are pairs of event and WHEN.

    The function looks its names up where the table's owner would, never in a schema that a session put first.
    """
    function, table = site.in_schema(name), site.table
    path = ", ".join(q(part) for part in dict.fromkeys(("pg_catalog", *site.schema.search_path, "pg_temp")))
    function_sql = (
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $headgate$\n"
        f"BEGIN\n{body}\nRETURN NEW;\nEND $headgate$"
    )
    create = [function_sql]
    drop = []
    for number, (event, when) in enumerate(triggers, start=1):
        trigger = q(name if len(triggers) == 1 else f"{name[:60]}_{number}")
        create.append(
            f"CREATE TRIGGER {trigger} BEFORE {event} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {function}()"
        )
        drop.append(f"DROP TRIGGER IF EXISTS {trigger} ON {table}")
    return Sync(create=tuple(create), drop=(*drop, f"DROP FUNCTION IF EXISTS {function}()"))
