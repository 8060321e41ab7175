r"""Takes psql's own language out of a script: harmless commands are blanked, everything else is refused by name with a way out.

Every pg_dump since 17.6 begins with ``\restrict``, so structure.sql of Rails or schema.sql of dbmate would not parse otherwise.
"""

import re

from app.errors import HeadgateError
from app.sql.parser import position_of
from app.sql.scanner import masked


class MetaCommandError(HeadgateError):
    """The script holds a command for psql, which is not SQL."""

    status = 422


class CopyDataError(MetaCommandError):
    """The script holds the rows of a COPY ... FROM stdin, which are not SQL."""


#: change nothing on the server: dropped without a word
_HARMLESS = frozenset({"restrict", "unrestrict", "echo", "qecho", "warn", "timing", "pset", "encoding"})
#: psql's own behaviour, not the script's meaning
_HARMLESS_SETTINGS = frozenset({"ON_ERROR_STOP", "ON_ERROR_ROLLBACK", "QUIET", "VERBOSITY", "ECHO", "SHOW_CONTEXT"})

_WAYS_OUT = {
    "i": "Put the SQL of that file in here, or import the folder so that each file becomes a step of its own.",
    "ir": "Put the SQL of that file in here, or import the folder so that each file becomes a step of its own.",
    "include": "Put the SQL of that file in here, or import the folder so that each file becomes a step of its own.",
    "include_relative": "Put the SQL of that file in here, or import the folder so that each file becomes a step of its own.",
    "c": "Take it out: the target of the plan says which database the statements run in.",
    "connect": "Take it out: the target of the plan says which database the statements run in.",
    "copy": "Load the rows by INSERT statements or by a backfill step.",
    "set": "Write the value itself where the variable is used.",
    "gset": "Write the value itself where the variable is used.",
    "prompt": "Write the value itself where the variable is used.",
    "gexec": "Write out the statements that it would make.",
    "g": "End the statement with a semicolon.",
    "if": "Take the condition out: a plan says exactly what runs.",
    ".": "It ends the rows of a COPY ... FROM stdin; take both out and load the rows by INSERT statements.",
}
_EVENT = re.compile(
    r"\\(?P<command>[A-Za-z_]+|.)?(?P<rest>[^\n]*)|(?:^|;)\s*(?P<copy>copy)\b[^;\\]*?\bfrom\s+stdin\b",
    re.IGNORECASE,
)


def without_psql(script: str, *, file: str | None = None) -> str:
    """The script with harmless psql commands blanked; every offset and line stays what it was.

    Raises MetaCommandError, CopyDataError.
    """
    if "\\" not in script and "stdin" not in script.lower():
        return script
    pieces = list[str]()
    position = 0
    bare = masked(script)
    for match in _EVENT.finditer(bare):
        if match["copy"]:
            raise _copy_refused(script, match.start("copy"), file)
        command = match["command"] or ""
        if not _is_harmless(command, match["rest"]):
            raise _meta_refused(script, match.start(), command, file)
        pieces += [script[position : match.start()], " " * len(match[0].encode())]
        position = match.end()
    return "".join([*pieces, script[position:]])


def _is_harmless(command: str, rest: str) -> bool:
    if command == "set":
        name = (rest.split() or [""])[0]
        return name.upper() in _HARMLESS_SETTINGS
    return command in _HARMLESS


def _meta_refused(script: str, offset: int, command: str, file: str | None) -> MetaCommandError:
    line, column = position_of(script, offset)
    hint = _WAYS_OUT.get(command, "Take it out, or say the same in SQL.")
    return MetaCommandError(
        f"\\{command} is a command of psql, not SQL.", hint=hint, file=file, line=line, column=column, sqlstate="42601"
    )


def _copy_refused(script: str, offset: int, file: str | None) -> CopyDataError:
    line, column = position_of(script, offset)
    return CopyDataError(
        "COPY ... FROM stdin carries its rows in the script, where only psql can read them.",
        hint="Write the rows as INSERT statements (pg_dump --inserts does), or load them by a backfill step.",
        file=file,
        line=line,
        column=column,
        sqlstate="42601",
    )
