"""`headgate backfill --preview`: what would happen, as a page of text or as one JSON document."""

import json
from typing import Any

import psycopg

from app.backfill.definition import BackfillDefinition
from app.backfill.preview import Preview, preview
from app.contract import CONTRACT


def show_preview(connection: psycopg.Connection[Any], definition: BackfillDefinition, *, as_json: bool) -> int:
    """Print the preview; changes nothing.

    Raises BackfillRefusedError where the backfill can't be run.
    """
    found = preview(connection, definition)
    if as_json:
        print(json.dumps({"contract": CONTRACT, "preview": found.as_json()}, default=str))
    else:
        print("\n".join(_lines(found)))
    return 0


def _lines(found: Preview) -> list[str]:
    about = "" if found.is_exact else "about "
    rows = "not known in time" if found.estimated_rows is None else f"{about}{found.estimated_rows:,}"
    whole = "" if found.table_rows is None else f" of {about}{found.table_rows:,}"
    lines = [
        found.statement,
        "",
        f"Rows to do: {rows}{whole}",
        f"Walk: {found.strategy}, {found.passes} passes, {found.shards} ranges",
    ]
    lines += [f"  {reason}" for reason in found.reasons]
    lines += [f"Note: {warning}" for warning in found.warnings]
    if found.seconds is not None:
        lines.append(f"Time: {found.seconds[0]:,.1f} to {found.seconds[1]:,.1f} s")
    if found.growth_bytes:
        lines.append(f"Growth: up to {found.growth_bytes / 2**20:,.1f} MiB")
    lines += ["", "Plan of a batch:", *(f"  {line}" for line in found.plan), "", "Rows before and after (rolled back):"]
    lines += [f"  {row.key} {row.before} -> {row.after}" for row in found.sample]
    if found.sample_note:
        lines.append(f"  {found.sample_note}")
    return lines
