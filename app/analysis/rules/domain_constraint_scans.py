"""ALTER DOMAIN that checks stored values."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit where a domain's new constraint reads every table that uses it."""
    if context.kind != "AlterDomainStmt":
        return
    subtype, body = context.body.get("subtype"), context.body
    constraint = body.get("def", {}).get("Constraint", {})
    if subtype not in {"C", "O", "V"} or (subtype == "C" and constraint.get("skip_validation")):
        return
    name = ".".join(node["String"]["sval"] for node in body.get("typeName", ()))
    tables = [context.state.table(scanned) for scanned in context.footprint.scans]
    if name in context.state.domains or (context.state.schema is not None and not tables):
        tables = [table for table in tables if not table.is_new]
        if not tables:
            return
    levels = [context.level(table, "scan", "writes") for table in tables] or ["medium"]
    users = ", ".join(table.name for table in tables) or "every table that uses it"
    yield Hit(
        risk="medium" if "medium" in levels or "high" in levels else "low",
        message=f"The values of {name} are checked in {users} while writes wait (SHARE).",
        safer="-- a CHECK ... NOT VALID on each table, then VALIDATE CONSTRAINT, does the same without blocking",
    )


RULE = Rule(
    id="domain-constraint-scans",
    title="A domain's constraint scans every table that uses the domain",
    why="Every table with a column of the domain is read under SHARE, which blocks writes. Other than with tables, even VALIDATE "
    "CONSTRAINT of a domain does so (measured).",
    source=manual("sql-alterdomain.html"),
    level="medium",
    bad="ALTER DOMAIN email ADD CONSTRAINT short CHECK (length(value) < 200);",
    good="ALTER DOMAIN email ADD CONSTRAINT short CHECK (length(value) < 200) NOT VALID;",
    check=check,
)
