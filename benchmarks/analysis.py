"""The analysis: 1,000 statements without and with a catalog of 2,000 tables, worst cases, and squawk on the same file."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.analysis.analyse import analyse_script
from app.catalog.records import Column, Constraint, Index, Relation, Schema
from app.errors import HeadgateError

#: a mix of what migrations hold, cycled over many tables
FORMS = (
    "CREATE TABLE new_{n} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, made timestamptz DEFAULT now());",
    "ALTER TABLE table_{n} ADD COLUMN extra_{n} text DEFAULT 'x';",
    "ALTER TABLE table_{n} ADD COLUMN token_{n} uuid DEFAULT gen_random_uuid();",
    "CREATE INDEX CONCURRENTLY table_{n}_name_idx ON table_{n} (name);",
    "CREATE INDEX table_{n}_made_idx ON table_{n} (made);",
    "ALTER TABLE table_{n} ALTER COLUMN name SET NOT NULL;",
    "ALTER TABLE table_{n} ADD CONSTRAINT check_{n} CHECK (amount >= 0) NOT VALID;",
    "ALTER TABLE table_{n} VALIDATE CONSTRAINT check_{n};",
    "UPDATE table_{n} SET name = 'y' WHERE name IS NULL;",
    "ALTER TABLE table_{n} ALTER COLUMN amount TYPE bigint;",
)


def script(statements: int) -> str:
    """That many statements."""
    return "\n".join(FORMS[number % len(FORMS)].format(n=number // len(FORMS)) for number in range(statements))


def catalog(tables: int) -> Schema:
    """A schema of that many tables with twelve columns, three indexes and a primary key each."""
    return Schema(relations={relation.name: relation for relation in map(_table, range(tables))})


def _table(number: int) -> Relation:
    name = f"public.table_{number}"
    columns = [
        Column(name="id", type="bigint", not_null=True),
        Column(name="name", type="text"),
        Column(name="amount", type="integer"),
    ]
    columns += [Column(name=f"c{position}", type="text") for position in range(9)]
    indexes = tuple(
        Index(name=f"{name}_{column}", relation=name, definition="", columns=(column,), depends_on=(column,))
        for column in ("id", "name", "c1")
    )
    key = Constraint(
        name=f"table_{number}_pkey", relation=name, kind="primary key", definition="PRIMARY KEY (id)", columns=("id",)
    )
    return Relation(name=name, kind="table", columns=tuple(columns), indexes=indexes, constraints=(key,))


def best_of(rounds: int, work: Callable[[], object]) -> float:
    """The shortest of some runs, in seconds."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def figure(name: str, value: float, unit: str, bar: float | None = None) -> bool:
    """Print one figure as a line of the contract; all of these are better when lower."""
    ok = bar is None or value <= bar
    line = {"contract": 1, "bench": "analysis", "figure": name, "value": round(value, 3), "unit": unit, "bar": bar}
    print(json.dumps({**line, "better": "lower", "ok": ok}), flush=True)
    return ok


def worst_cases() -> dict[str, str]:
    """Inputs that have crashed or hung analysers."""
    return {
        "400-term chain": "SELECT " + " + ".join(["1"] * 400),
        "100,000-term chain": "SELECT " + " + ".join(["1"] * 100_000),
        "10,000-row INSERT": "INSERT INTO t VALUES " + ",".join(f"({number}, 'x', -1.5, now())" for number in range(10_000)),
        "60 nested CASE": "SELECT " + "CASE WHEN true THEN " * 60 + "1" + " END" * 60,
        "4 MB INSERT": "INSERT INTO t VALUES " + ",".join(f"({number}, 'abcdefgh')" for number in range(200_000)),
    }


def _analysed_or_refused(text: str) -> None:
    try:
        analyse_script(text)
    except HeadgateError as error:
        print(error.message, file=sys.stderr)


def squawk_seconds(text: str) -> float | None:
    """How long squawk takes for the same file, or None where it is not installed."""
    beside = Path(sys.executable).with_name("squawk")
    program = str(beside) if beside.exists() else shutil.which("squawk")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "all.sql"
        file.write_text(text)
        command = [program, "--reporter", "json", str(file)]
        return best_of(3, lambda: subprocess.run(command, capture_output=True, check=False))


def main() -> int:
    """Print every figure; 1 where one misses its bar."""
    text = script(1000)
    schema = catalog(2000)
    analyse_script("SELECT 1")  # loads parser and rules, which happens once in a process
    fine = [
        figure("1,000 statements without a target", best_of(5, lambda: analyse_script(text)), "s", 0.5),
        figure("1,000 statements, target of 2,000 tables", best_of(5, lambda: analyse_script(text, schema=schema)), "s", 1.5),
    ]
    for name, worst in worst_cases().items():
        fine.append(figure(name, best_of(1, lambda worst=worst: _analysed_or_refused(worst)), "s", 10))  # type: ignore[misc]  # a lambda with a default
    other = squawk_seconds(text)
    if other is not None:
        figure("squawk, 1,000 statements, process included", other, "s")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
