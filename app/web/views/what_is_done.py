"""What statements do, in PostgreSQL's words: to one table for the plan's document, one by one for the review."""

from collections.abc import Collection

from app.analysis.report import Analysis, StatementReport


def done_to(table: str, analysis: Analysis) -> str:
    """Each command once, with the columns that ALTER TABLE changes; a new table's foreign key as what it is."""
    columns: dict[str, list[str]] = {}
    for change in analysis.changes:
        if change.relation == table and change.column:
            columns.setdefault(change.column, []).append("type changed" if change.change == "type" else change.change)
    done = []
    for statement in analysis.statements:
        if table in statement.relations:
            makes = [name for name in statement.relations if name in analysis.tables.new and name != table]
            done.append(f"referenced by {', '.join(makes)}" if makes else statement.command)
    told = "; ".join(f"{column} {', '.join(dict.fromkeys(words))}" for column, words in columns.items())
    return ", ".join(f"{each} ({told})" if each == "ALTER TABLE" and told else each for each in dict.fromkeys(done))


def done_by(statement: StatementReport, new: Collection[str]) -> str:
    """A statement in a few words: ``ALTER TABLE public.users``, ``CREATE TABLE public.notes, which references public.users``."""
    made = [name for name in statement.relations if name in new] if statement.command.startswith("CREATE TABLE") else []
    others = [name for name in statement.relations if name not in made]
    if made:
        return f"{statement.command} {', '.join(made)}" + (f", which references {', '.join(others)}" if others else "")
    between = " on " if "INDEX" in statement.command else " "
    return f"{statement.command}{between}{', '.join(others)}" if others else statement.command
