"""A proposal for the plan's "API impact": what clients of the database see, in sentences that a person goes on from."""

from collections.abc import Iterable, Iterator

from app.analysis.report import SchemaChange

NOTHING = "Nothing that a client of the database sees changes."


def proposal(changes: Iterable[SchemaChange]) -> str:
    """The sentences as a Markdown list, the most disruptive first; one sentence where nothing changes."""
    sentences = sorted(_sentences(changes))
    return "\n".join(f"- {sentence}" for _, sentence in sentences) or NOTHING


def _sentences(changes: Iterable[SchemaChange]) -> Iterator[tuple[int, str]]:
    """Each with its rank: 0 breaks what runs now, 1 may break it, 2 can be seen."""
    for each in dict.fromkeys(changes):
        name = f"`{each.relation}.{each.column}`" if each.column else f"`{each.relation}`"
        told = _COLUMN.get(each.change) if each.column else _RELATION.get(each.change)
        if told is not None:
            rank, sentence = told
            yield rank, sentence.format(name=name, was=each.was or "another type", now=each.now)


_COLUMN = {
    "removed": (0, "{name} goes: whatever selects, writes or returns it fails. Deploy a release without it first."),
    "renamed": (0, "{name} is called `{now}` from then on: the old name fails at once, in every release that is running."),
    "added, and demanded": (0, "{name} ({now}) has no default and takes no NULL: inserts that do not name it fail."),
    "not null": (1, "{name} takes no NULL any more: writes that leave it empty are refused."),
    "no default": (1, "{name} has no default any more: inserts that leave it out write NULL, or fail."),
    "type": (1, "{name} becomes {now} (was {was}): clients that bind or parse it by its type notice."),
    "nullable": (1, "{name} may be NULL from then on: readers have to expect it."),
    "added": (2, "{name} ({now}) is new: clients that read whole rows see it."),
}
_RELATION = {
    "dropped": (0, "{name} goes: whatever names it fails."),
    "renamed": (0, "{name} is called `{now}` from then on: the old name fails at once."),
    "moved": (0, "{name} is called `{now}` from then on: the old name fails unless the search path finds it."),
    "created": (2, "{name} is new: nobody uses it yet."),
}
