"""Long work while an earlier lock of the same transaction is still held."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.predicates import touches_few_rows
from app.analysis.rule import Hit, Rule, manual
from app.analysis.state import Held
from app.sql.lock_levels import blocks


def check(context: Context) -> Iterator[Hit]:
    """Hit for a scan, rewrite, index build or bulk change after a blocking lock in the same transaction."""
    transaction = context.state.transaction
    if transaction is None:
        return
    work = [name for name in _long_work(context) if not context.is_small(context.state.table(name))]
    if not work:
        return
    held = [lock for lock in transaction.held if not context.is_small(context.state.table(lock.relation))]
    if not held:
        return
    first = max(held, key=lambda lock: len(blocks(lock.mode)))
    yield Hit(
        risk="high" if _is_bulk(context) or context.footprint.rewrites else "medium",
        message=f"{work[0]} is worked through while the {first.mode} lock on {first.relation} of statement {first.statement} is "
        f"still held: {' and '.join(blocks(first.mode))} wait for all of it.",
        safer=_split(first),
    )


def _long_work(context: Context) -> list[str]:
    footprint = context.footprint
    names = [*footprint.scans, *footprint.rewrites, *footprint.builds]
    if _is_bulk(context) or context.kind == "InsertStmt":
        has_values = "valuesLists" in context.body.get("selectStmt", {}).get("SelectStmt", {})
        if not (context.kind == "InsertStmt" and (has_values or "selectStmt" not in context.body)):
            names.append(context.state.table_of(context.body["relation"]).name)
    return names


def _is_bulk(context: Context) -> bool:
    return context.kind in {"UpdateStmt", "DeleteStmt", "MergeStmt"} and not touches_few_rows(context)


def _split(lock: Held) -> str:
    return f"-- COMMIT after statement {lock.statement}, and run this one in a transaction of its own"


RULE = Rule(
    id="scan-while-locked",
    title="Long work while an earlier lock is still held",
    why="A transaction keeps every lock until it ends. A short ALTER TABLE followed by a scan, an index build or an UPDATE "
    "in the "
    "same transaction blocks others for as long as both take together: NOT VALID and VALIDATE in one transaction gain nothing.",
    source=manual("explicit-locking.html#LOCKING-TABLES"),
    level="medium",
    bad="BEGIN;\nALTER TABLE users ADD CONSTRAINT age_ok CHECK (age >= 0) NOT VALID;\n"
    "ALTER TABLE users VALIDATE CONSTRAINT age_ok;\nCOMMIT;",
    good="ALTER TABLE users ADD CONSTRAINT age_ok CHECK (age >= 0) NOT VALID;\nALTER TABLE users VALIDATE CONSTRAINT age_ok;",
    check=check,
)
