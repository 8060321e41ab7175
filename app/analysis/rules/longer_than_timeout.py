"""Work that is expected to last longer than the script lets a statement run."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.duration import in_words
from app.analysis.rule import Hit, Rule, manual
from app.analysis.settings import milliseconds
from app.analysis.work import duration_of, works_of


def check(context: Context) -> Iterator[Hit]:
    """Hit where statement_timeout would cancel the work before it is expected to end."""
    limit = milliseconds(context.state.setting("statement_timeout"))
    if not limit or context.options.assume_large:
        return
    works = works_of(context)
    expected = duration_of(works, context.options.rates, changes_catalog=False)
    if works and expected is not None and expected.expected_ms > limit:
        yield Hit(
            risk="medium",
            message=f"Expected to take {in_words(expected.expected_ms)}, but statement_timeout is {in_words(limit)}: "
            "it would be cancelled "
            "and undone, after others have waited for it.",
        )


RULE = Rule(
    id="longer-than-timeout",
    title="statement_timeout ends the work before it is done",
    why="A cancelled statement has done nothing, but its locks were held and its WAL was written; an index that was "
    "built concurrently "
    "is left INVALID.",
    source=manual("runtime-config-client.html#GUC-STATEMENT-TIMEOUT"),
    level="medium",
    bad="SET statement_timeout = '1s';\nALTER TABLE users ADD CONSTRAINT c CHECK (age > 0);",
    good="SET statement_timeout = '1s';\nALTER TABLE users ADD COLUMN note text;",
    check=check,
    needs_target="the table is large",
)
