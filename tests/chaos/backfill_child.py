"""A worker to be killed: runs one backfill and prints a line for each thing it says. Not a test."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace
from uuid import UUID

from app.backfill.execute import run_backfill
from app.run.journal import LeaseLostError
from tests.postgres.backfill.running import order

FENCED = 9


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    dsn, job, epoch, spec = sys.argv[1:5]
    asked = replace(order(SimpleNamespace(dsn=dsn), json.loads(spec), job=UUID(job), epoch=int(epoch)), patience_seconds=20.0)
    running = run_backfill(asked)
    try:
        for told in running:
            say(f"{type(told).__name__} {getattr(told, 'rows_done', '')}")
    except LeaseLostError:
        return FENCED
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
