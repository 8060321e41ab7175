"""What the target's rows say about a statement that depends on them."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit for each question that the target's rows answered with what must not be there."""
    for answer in context.answers:
        if answer.state != "fails":
            continue
        probe = answer.probe
        before = f" {probe.changed_by[:1].upper()}{probe.changed_by[1:]} changes these rows before." if probe.changed_by else ""
        yield Hit(
            risk="low" if probe.changed_by else "high",
            message=f"{answer.sentence()}.{before}",
            safer=f"-- finds them:\n{probe.question};" if probe.question else None,
        )


RULE = Rule(
    id="data-does-not-fit",
    title="The rows that are there refuse the statement",
    why="A constraint, a unique index and a narrower type take only rows that fit. Where one does not, the statement fails after "
    "it has read the table under its lock, or an INVALID index stays behind. Headgate asks the target beforehand, read-only and "
    "with a time limit; an empty shadow can't show it.",
    source=manual("ddl-constraints.html"),
    level="high",
    bad="ALTER TABLE users ALTER COLUMN nickname SET NOT NULL;",
    good=None,
    check=check,
    needs_target="a row has no nickname",
)
