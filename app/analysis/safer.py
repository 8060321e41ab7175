"""The safe way beside each finding, as SQL with the statement's own names (recipes G1 to G12 of the catalogue)."""
# ruff: noqa: S608  # the texts are shown to a person and never run; identifiers are quoted

from app.analysis.tables import Table
from app.sql.names import quote_identifier as q
from app.sql.names import quote_qualified as qq

#: from this version on NOT NULL is a constraint that can be NOT VALID
_NAMED_NOT_NULL = 18


def short(table: Table) -> str:
    """The table's name without its schema, for names of new objects."""
    return table.name.rpartition(".")[2]


def not_null(table: Table, column: str, version: int = 18) -> str:
    """G2: fill, prove without blocking, then set."""
    name, t, c = q(f"{short(table)}_{column}_not_null"), qq(table.name), q(column)
    fill = f"-- fill the column in batches first (a backfill step), then:\n-- SELECT count(*) FROM {t} WHERE {c} IS NULL;  "
    "-- must be 0"
    if version >= _NAMED_NOT_NULL:
        return (
            f"{fill}\nALTER TABLE {t} ADD CONSTRAINT {name} NOT NULL {c} NOT VALID;\n"
            f"-- in its own transaction:\nALTER TABLE {t} VALIDATE CONSTRAINT {name};"
        )
    return (
        f"{fill}\nALTER TABLE {t} ADD CONSTRAINT {name} CHECK ({c} IS NOT NULL) NOT VALID;\n"
        f"-- in its own transaction:\nALTER TABLE {t} VALIDATE CONSTRAINT {name};\n"
        f"-- no scan any more:\nALTER TABLE {t} ALTER COLUMN {c} SET NOT NULL;\nALTER TABLE {t} DROP CONSTRAINT {name};"
    )


def volatile_default(table: Table, column: str, type_name: str, default: str) -> str:
    """G1: the column first, its default for new rows, the old rows in batches."""
    t, c = qq(table.name), q(column)
    return (
        f"ALTER TABLE {t} ADD COLUMN {c} {type_name};\nALTER TABLE {t} ALTER COLUMN {c} SET DEFAULT {default};\n"
        f"-- then a backfill step, in small batches:\n-- UPDATE {t} SET {c} = {default} WHERE {c} IS NULL"
    )


def constraint(table: Table, name: str, definition: str) -> str:
    """G5 and G6: add NOT VALID, validate in a transaction of its own."""
    t, n = qq(table.name), q(name)
    return (
        f"ALTER TABLE {t} ADD CONSTRAINT {n} {definition} NOT VALID;\n"
        f"-- in its own transaction, reads and writes go on:\nALTER TABLE {t} VALIDATE CONSTRAINT {n};"
    )


def unique(table: Table, columns: tuple[str, ...], name: str, kind: str = "UNIQUE") -> str:
    """G7: the index concurrently, then the constraint over it."""
    index = q(name)
    listed = ", ".join(q(column) for column in columns) or "..."
    return (
        f"-- outside a transaction:\nCREATE UNIQUE INDEX CONCURRENTLY {index} ON {qq(table.name)} ({listed});\n"
        f"-- then, in milliseconds:\nALTER TABLE {qq(table.name)} ADD CONSTRAINT {index} {kind} USING INDEX {index};"
    )


def type_change(table: Table, column: str, new_type: str) -> str:
    """G3: a second column, kept equal by a trigger, filled in batches, swapped by renaming."""
    t, c, n = qq(table.name), q(column), q(f"{column}_new")
    return (
        f"ALTER TABLE {t} ADD COLUMN {n} {new_type};\n"
        f"-- a trigger BEFORE INSERT OR UPDATE that sets {n} from {c}; a backfill step for the old rows;\n"
        f"-- each index again with CREATE INDEX CONCURRENTLY, each constraint NOT VALID and then VALIDATE; then, in one "
        f"transaction:\n"
        f"ALTER TABLE {t} RENAME COLUMN {c} TO {q(f'{column}_old')};\nALTER TABLE {t} RENAME COLUMN {n} TO {c};"
    )


def rename_column(table: Table, old: str, new: str) -> str:
    """G9: a second column kept equal, until nobody uses the old one."""
    t = qq(table.name)
    return (
        f"-- add {q(new)}, keep both equal by a trigger, fill it in batches, deploy the application, then:\n"
        f"ALTER TABLE {t} DROP COLUMN {q(old)};"
    )


def rename_table(old: str, new: str) -> str:
    """G9 for a table: a view of the old name, until nobody uses it."""
    schema = old.rpartition(".")[0]
    renamed = f"{schema}.{new}" if schema else new
    return (
        f"BEGIN;\nALTER TABLE {qq(old)} RENAME TO {q(new)};\nCREATE VIEW {qq(old)} AS SELECT * FROM {qq(renamed)};\nCOMMIT;\n"
        f"-- after the deploy that uses the new name:\nDROP VIEW {qq(old)};"
    )


def drop_column(table: Table, column: str) -> str:
    """G8: first the application lets go, then the column goes."""
    t, c = qq(table.name), q(column)
    return (
        f"-- 1. deploy code that no longer names {c}, and wait until no query uses it\n"
        f"-- 2. keep the values if they may be needed: CREATE TABLE saved AS SELECT <key>, {c} FROM {t};\n"
        f"-- 3. ALTER TABLE {t} DROP COLUMN {c};  -- in the contract phase"
    )


def drop_table(name: str) -> str:
    """G8 for a table: rename, wait, drop."""
    kept = f"{name.rpartition('.')[2]}_dropped"
    return (
        f"-- 1. deploy code that no longer uses it\nALTER TABLE {qq(name)} RENAME TO {q(kept)};\n"
        f"-- 2. after a week without complaints, with a backup taken: DROP TABLE {q(kept)};"
    )
