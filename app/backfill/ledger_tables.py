"""The tables of the ledger, and what a role needs to make them: schema ``headgate`` on every target that we change."""

from psycopg import sql

from app.backfill.shards import SHARD_DDL
from app.errors import HeadgateError
from app.target.errors import TargetError
from app.target.session import Target

FENCE = """
    CREATE TABLE IF NOT EXISTS {schema}.fence (
        run       uuid PRIMARY KEY,
        token     bigint NOT NULL,
        label     text NOT NULL,
        taken_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
        let_go_at timestamptz
    )
"""
#: Unit 0 is the step itself. A unit in a transaction has no intent: its row appears with its effect.
UNIT = """
    CREATE TABLE IF NOT EXISTS {schema}.unit (
        run           uuid NOT NULL,
        step          text NOT NULL,
        unit          integer NOT NULL,
        direction     text NOT NULL CHECK (direction IN ('forward', 'rollback')),
        state         text NOT NULL CHECK (state IN ('trying', 'intent', 'done')),
        digest        text NOT NULL,
        fence         bigint NOT NULL,
        attempts      integer NOT NULL DEFAULT 0,
        waiting_since timestamptz,
        started_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
        finished_at   timestamptz,
        duration_ms   double precision,
        error         text,
        PRIMARY KEY (run, step, unit, direction)
    )
"""
#: What the command line has applied; ``plan`` is what ran, with its way back.
APPLIED = """
    CREATE TABLE IF NOT EXISTS {schema}.applied (
        id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name           text NOT NULL,
        digest         text NOT NULL,
        tool           text NOT NULL,
        run            uuid NOT NULL,
        plan           jsonb NOT NULL,
        applied_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
        rolled_back_at timestamptz
    )
"""
APPLIED_ONCE = "CREATE UNIQUE INDEX IF NOT EXISTS applied_once ON {schema}.applied (name) WHERE rolled_back_at IS NULL"
MANAGED = """
    CREATE TABLE IF NOT EXISTS {schema}.managed (
        by             text PRIMARY KEY,
        wants_approval boolean NOT NULL,
        at             timestamptz NOT NULL DEFAULT clock_timestamp()
    )
"""
_TABLES = ("fence", "unit", "applied", "managed", "backfill", "shard", "quarantine")

_THERE = """
    SELECT count(*) AS there
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s) AND c.relkind = 'r'
       AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
       AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
       AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
       AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
"""
_RIGHTS = """
    SELECT current_user AS role, pg_catalog.current_database() AS database,
           n.oid IS NOT NULL AS schema_exists,
           CASE WHEN n.oid IS NULL THEN pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
                ELSE pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
            END AS can_create
      FROM (SELECT 1) AS one
      LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = %(schema)s
"""
#: Any number will do, as long as nobody else uses it for the same purpose on the same database.
_LOCK = 4_771_201_128


class LedgerRightsError(HeadgateError):
    """The role may not keep the ledger on the target."""

    status = 403
    exit_code = 1


def ensure_ledger(target: Target, schema: str) -> None:
    """Make the ledger's tables where they are not there yet.

    Raises LedgerRightsError with the exact GRANT in its hint.
    """
    if has_ledger(target, schema):
        return
    missing = missing_grant(target, schema)
    if missing is not None:
        raise _refusal(schema, missing)
    try:
        with target.transaction(lock_timeout_ms=5000):
            target.execute("SELECT pg_catalog.pg_advisory_xact_lock(%(key)s)", {"key": _LOCK})
            name = sql.Identifier(schema)
            for statement in ("CREATE SCHEMA IF NOT EXISTS {schema}", FENCE, UNIT, APPLIED, APPLIED_ONCE, MANAGED, SHARD_DDL):
                target.execute(sql.SQL(statement).format(schema=name))
    except TargetError as error:
        if error.sqlstate != "42501":
            raise
        grant = sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {role};")
        raise _refusal(schema, _written(target, grant, schema)) from error


def has_ledger(target: Target, schema: str) -> bool:
    """True where every table is there and may be written."""
    found = target.one(_THERE, {"schema": schema, "tables": list(_TABLES)})
    return found is not None and found["there"] == len(_TABLES)


def missing_grant(target: Target, schema: str) -> str | None:
    """The GRANT that the role needs before it can make the ledger, or None."""
    rights = target.one(_RIGHTS, {"schema": schema})
    if rights is None or rights["can_create"]:
        return None
    if rights["schema_exists"]:
        return _written(target, sql.SQL("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role};"), schema)
    return _written(target, sql.SQL("GRANT CREATE ON DATABASE {database} TO {role};"), schema)


def _written(target: Target, statement: sql.SQL, schema: str) -> str:
    who = target.one("SELECT current_user AS role, pg_catalog.current_database() AS database") or {}
    composed = statement.format(
        schema=sql.Identifier(schema), role=sql.Identifier(who["role"]), database=sql.Identifier(who["database"])
    )
    return composed.as_string(target.connection)


def _refusal(schema: str, grant: str) -> LedgerRightsError:
    return LedgerRightsError(
        f"The role may not keep Headgate's ledger (schema {schema}) on the target, so nothing could be promised to run once.",
        hint=f"Let the owner of the database run: {grant}",
    )
