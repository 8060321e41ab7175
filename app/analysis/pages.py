"""Writes docs/rules: one page for each rule and a list of all, from the rules' own records. `python -m app.analysis.pages`."""

import sys
from collections.abc import Mapping
from pathlib import Path

from app.analysis.registry import RULES
from app.analysis.rule import Rule

#: beside the package, in the repository
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "rules"


def page(rule: Rule) -> str:
    """The page of one rule, as Markdown."""
    parts = [
        f"# {rule.title}",
        f"Rule `{rule.id}`, level {rule.level} when the table is large and busy.",
        rule.why,
        f"## Bad{f', where {rule.needs_target}' if rule.needs_target else ''}\n\n```sql\n{rule.bad}\n```",
    ]
    if rule.good:
        parts.append(f"## Good\n\n```sql\n{rule.good}\n```")
    parts.append(f"## Source\n\n<{rule.source}>")
    parts.append(
        f"## To accept it\n\nA comment before the statement, with a reason: `-- headgate: allow {rule.id} the reason`. "
        "The finding stays in the report with its reason and no longer raises the level."
    )
    return "\n\n".join(parts) + "\n"


def pages() -> Mapping[str, str]:
    """Every page by its file name, the list of rules included."""
    rows = "\n".join(f"| [{rule.id}]({rule.id}.md) | {rule.level} | {rule.title} |" for rule in RULES.values())
    index = (
        "# Rules\n\nWhat `headgate analyze` and the review page look for. The level is the one for tables that are large and "
        "busy; sizes and traffic of the target lower it. What the input itself makes is free.\n\n"
        f"| rule | level | what it says |\n| --- | --- | --- |\n{rows}\n"
    )
    return {"README.md": index, **{f"{rule.id}.md": page(rule) for rule in RULES.values()}}


def main() -> int:
    """Write the pages; pages of rules that are gone are removed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in FOLDER.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
