"""New databases beside the target's own: made like it, marked as ours, dropped only by that mark."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from psycopg import conninfo, sql

from app.backup.manifest import Manifest
from app.errors import HeadgateError
from app.target.dsn import parse_dsn
from app.target.errors import TargetError, TargetUnreachableError
from app.target.session import Target

_LONGEST_NAME_BYTES = 63
_INSUFFICIENT_PRIVILEGE = "42501"
#: databases of every server, to be connected to where the target's own is gone or must be left alone
_NEUTRAL = ("postgres", "template1")

#: of template0; who names it needs a right on it that owners of databases have not
_DEFAULT_TABLESPACE = "pg_default"

_DATABASE = """
SELECT pg_catalog.pg_get_userbyid(d.datdba) AS owner, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate AS collate, d.datctype AS ctype, d.datconnlimit AS connections, t.spcname AS tablespace,
       to_jsonb(d) ->> 'datlocprovider' AS provider,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale
FROM pg_catalog.pg_database AS d JOIN pg_catalog.pg_tablespace AS t ON t.oid = d.dattablespace WHERE d.datname = %(name)s
"""
_COMMENT = """
SELECT pg_catalog.shobj_description(oid, 'pg_database') AS comment FROM pg_catalog.pg_database WHERE datname = %(name)s
"""
_RIGHTS = """
SELECT CASE WHEN a.grantee = 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(a.grantee) END AS grantee,
       a.privilege_type AS right, a.is_grantable
FROM pg_catalog.pg_database AS d, pg_catalog.aclexplode(d.datacl) AS a WHERE d.datname = %(name)s
"""
_SETTINGS = """
SELECT CASE WHEN s.setrole = 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(s.setrole) END AS role,
       split_part(c, '=', 1) AS setting, substr(c, strpos(c, '=') + 1) AS value
FROM pg_catalog.pg_db_role_setting AS s JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase, unnest(s.setconfig) AS c
WHERE d.datname = %(name)s
"""
#: settings whose value is a list of names, not one text
_LISTS = {"search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"}


class DatabaseTakenError(HeadgateError):
    """A database of that name exists."""

    status = 409


class NotAllowedThereError(HeadgateError):
    """The role may not do this on its server."""

    status = 409


def refuse_name(name: str) -> None:
    """Refuse a name that PostgreSQL would cut short; Raises DatabaseTakenError."""
    if not name or len(name.encode()) > _LONGEST_NAME_BYTES:
        raise DatabaseTakenError(f"The name {name!r} is not from 1 to {_LONGEST_NAME_BYTES} bytes long.", hint="Choose another.")


@contextmanager
def on_server(dsn: str, *, purpose: str, but: Collection[str] = ()) -> Iterator[Target]:
    """A session on the server in another database than those of ``but``.

    Raises TargetUnreachableError where none lets us in.
    """
    own = parse_dsn(dsn).database
    names = [name for name in (*_NEUTRAL, *([own] if own else [])) if name not in but]
    refused: TargetUnreachableError | None = None
    for name in names:
        try:
            target = Target.connect(conninfo.make_conninfo(dsn, dbname=name), purpose=purpose)
        except TargetUnreachableError as error:
            refused = error
            if error.kind not in {"database", "other"}:
                raise
            continue
        with target:
            yield target
        return
    raise refused or TargetUnreachableError("There is no other database to connect to.", kind="database")


def create_database(dsn: str, name: str, *, mark: str, like: str | None, source: Manifest) -> int:
    """Make an empty database with the properties of another one; the server's version number.

    What an earlier attempt with the same mark left is dropped. Raises DatabaseTakenError, NotAllowedThereError.
    """
    with on_server(dsn, purpose="restore") as target:
        _refuse_older(target, source)
        found = target.one(_COMMENT, {"name": name})
        if found is not None:
            if found["comment"] != mark:
                raise DatabaseTakenError(
                    f"A database named {name!r} exists.", hint="Choose another name: a restore never writes over one."
                )
            _drop(target, name)
        properties = target.one(_DATABASE, {"name": like}) if like else None
        with _rights_explained(target):
            target.execute(_create(name, properties))
            target.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(mark)))
            if like and properties:
                _take_over(target, like, name)
        return target.server_version_num


def drop_database(dsn: str, name: str, *, mark: str) -> None:
    """Drop the database that was made with the mark; another one of that name stays."""
    with on_server(dsn, purpose="restore", but=(name,)) as target:
        found = target.one(_COMMENT, {"name": name})
        if found is not None and found["comment"] == mark:
            _drop(target, name)


def _drop(target: Target, name: str) -> None:
    target.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _refuse_older(target: Target, source: Manifest) -> None:
    here, there = target.server_version_num // 10000, source.server_version_num // 10000
    if here < there:
        raise NotAllowedThereError(
            f"The backup is of PostgreSQL {there}, this server is {here}.",
            hint="Restore it on a server of that version or newer.",
        )


def _create(name: str, properties: dict[str, object] | None) -> sql.Composed:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
    if properties is None:
        return statement
    clauses = [statement, sql.SQL("OWNER {}").format(sql.Identifier(str(properties["owner"])))]
    for word, key in (("ENCODING", "encoding"), ("LC_COLLATE", "collate"), ("LC_CTYPE", "ctype")):
        clauses.append(sql.SQL("{} {}").format(sql.SQL(word), sql.Literal(str(properties[key]))))
    provider = properties["provider"]
    if provider == "i":
        clauses.append(sql.SQL("LOCALE_PROVIDER icu ICU_LOCALE {}").format(sql.Literal(str(properties["locale"]))))
    elif provider == "b":
        clauses.append(sql.SQL("LOCALE_PROVIDER builtin BUILTIN_LOCALE {}").format(sql.Literal(str(properties["locale"]))))
    if properties["tablespace"] != _DEFAULT_TABLESPACE:
        clauses.append(sql.SQL("TABLESPACE {}").format(sql.Identifier(str(properties["tablespace"]))))
    clauses.append(sql.SQL("CONNECTION LIMIT {}").format(sql.Literal(properties["connections"])))
    return sql.SQL(" ").join(clauses)


def _take_over(target: Target, like: str, name: str) -> None:
    """Rights and settings of a database, which pg_dump leaves out."""
    database = sql.Identifier(name)
    rights = target.all(_RIGHTS, {"name": like})
    if rights:
        target.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for row in rights:
        grantee = sql.Identifier(row["grantee"]) if row["grantee"] else sql.SQL("PUBLIC")
        grant = sql.SQL("GRANT {} ON DATABASE {} TO {}").format(sql.SQL(row["right"]), database, grantee)
        target.execute(grant + sql.SQL(" WITH GRANT OPTION") if row["is_grantable"] else grant)
    for row in target.all(_SETTINGS, {"name": like}):
        whose = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(row["role"]), database) if row["role"] else None
        value = sql.SQL(row["value"]) if row["setting"] in _LISTS else sql.Literal(row["value"])
        target.execute(
            sql.SQL("ALTER {} SET {} TO {}").format(
                whose or sql.SQL("DATABASE {}").format(database), sql.Identifier(row["setting"]), value
            )
        )


@contextmanager
def _rights_explained(target: Target) -> Iterator[None]:
    try:
        yield
    except TargetError as error:
        if error.sqlstate != _INSUFFICIENT_PRIVILEGE:
            raise
        grant = sql.SQL("ALTER ROLE {} CREATEDB;").format(sql.Identifier(target.connection.info.user))
        raise NotAllowedThereError(
            f"The role may not make this database: {error.message}",
            hint=grant.as_string(target.connection),
            sqlstate=error.sqlstate,
        ) from error
