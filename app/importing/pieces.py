"""A script cut into the pieces that become steps: neighbours that share a transaction, and each statement that refuses one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.importing.source import ImportRefusedError, Script
from app.sql.classify import Effect, classify
from app.sql.split import Statement, split

_OPENING = frozenset({"TRANS_STMT_BEGIN", "TRANS_STMT_START"})
_CLOSING = frozenset({"TRANS_STMT_COMMIT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Statements that become one step, with their text as written, comments included."""

    text: str
    #: the line of the file at which the text begins
    line: int
    statements: tuple[tuple[Statement, Effect], ...]
    #: the whole script, which offsets of the statements count in
    source: bytes
    #: byte offset in the script from which comments before the first statement are its own
    begin: int


def cut(script: Script, *, is_backfill: Callable[[Statement], bool]) -> list[Piece]:
    """The pieces of a script in the written order; BEGIN and COMMIT fall away, since every group of a step is a transaction.

    Raises SqlSyntaxError, MetaCommandError, ImportRefusedError for ROLLBACK and savepoints.
    """
    text = script.in_place().removeprefix("\ufeff")
    source = text.encode()
    pieces: list[Piece] = []
    run: list[tuple[Statement, Effect]] = []
    begin = 0
    for statement in split(text, file=script.file):
        effect = classify(statement)
        alone = not effect.is_transactional or is_backfill(statement)
        if run and (alone or effect.is_transaction_control):
            pieces.append(_piece(source, begin, run))
            begin, run = _end(source, run[-1][0]), []
        if effect.is_transaction_control:
            _check_control(statement, script.file)
            begin = _end(source, statement)
            continue
        run.append((statement, effect))
        if alone:
            pieces.append(_piece(source, begin, run))
            begin, run = _end(source, statement), []
    if run:
        pieces.append(_piece(source, begin, run))
    return pieces


def pieces_of(piece: Piece, indexes: Sequence[int]) -> Piece | None:
    """The part of a piece that holds these neighbouring statements, or None where there are none."""
    if not indexes:
        return None
    if len(indexes) == len(piece.statements):
        return piece
    begin = piece.begin if indexes[0] == 0 else _end(piece.source, piece.statements[indexes[0] - 1][0])
    return _piece(piece.source, begin, [piece.statements[index] for index in indexes])


def statements_of(script: Script) -> Iterator[Statement]:
    """The statements of a script without BEGIN and COMMIT.

    Raises SqlSyntaxError, MetaCommandError, ImportRefusedError.
    """
    for statement in split(script.in_place(), file=script.file):
        if classify(statement).is_transaction_control:
            _check_control(statement, script.file)
        else:
            yield statement


def _check_control(statement: Statement, file: str) -> None:
    if statement.body.get("kind") in _OPENING | _CLOSING:
        return
    raise ImportRefusedError(
        f"{file}, line {statement.line}: {statement.text.split()[0].upper()} can't be part of a plan.",
        hint="Take it out: a step that fails is rolled back by Headgate, up to its last commit.",
        file=file,
        line=statement.line,
        column=statement.column,
    )


def _piece(source: bytes, begin: int, run: Sequence[tuple[Statement, Effect]]) -> Piece:
    raw = source[begin : _end(source, run[-1][0])].decode()
    text = raw.lstrip()
    line = source.count(b"\n", 0, begin) + raw[: len(raw) - len(text)].count("\n") + 1
    return Piece(text=text.rstrip() + "\n", line=line, statements=tuple(run), source=source, begin=begin)


def _end(source: bytes, statement: Statement) -> int:
    """The byte offset behind the statement's semicolon, and behind a comment on the same line."""
    end = statement.offset + len(statement.text.encode())
    semicolon = source.find(b";", end)
    if semicolon < 0 or source[end:semicolon].strip():
        return end
    line_end = source.find(b"\n", semicolon)
    rest = source[semicolon + 1 : line_end if line_end >= 0 else len(source)]
    return semicolon + 1 + (len(rest) if rest.strip().startswith(b"--") else 0)
