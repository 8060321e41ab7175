"""The certificates of a run's backfills: what proves their end, the ranges that were walked, the rows that were set aside."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.store.tables import RunStep
from app.web.formats import count, plural, span

#: ranges that are listed; a table with a thousand partitions has a thousand
_MOST_RANGES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """One range that was walked to its end."""

    relation: str
    begins: str
    ends: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAside:
    """One row that was set aside, and why."""

    relation: str
    key: str
    sqlstate: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is kept of a backfill that ended."""

    step_id: str
    title: str
    #: the proof in one sentence
    proof: str
    #: (label, value)
    facts: tuple[tuple[str, str], ...]
    ranges: tuple[Range, ...]
    ranges_in_all: int
    aside: tuple[RowAside, ...]
    aside_in_all: int


def certificates_of(steps: Sequence[RunStep]) -> tuple[Certificate, ...]:
    """One for each backfill that ended, in the order of the steps."""
    return tuple(_certificate(row, row.result) for row in steps if row.result and row.result.get("certificate"))


def _certificate(row: RunStep, result: Mapping[str, Any]) -> Certificate:
    found = result["certificate"]
    ranges, aside = found.get("ranges", ()), result.get("set_aside", ())
    return Certificate(
        step_id=row.step_id,
        title=row.title,
        proof=str(found.get("proof", "")),
        facts=_facts(result, found),
        ranges=tuple(
            Range(
                relation=part["relation"],
                begins=_edge(part["from"], "start"),
                ends=_edge(part["to"], "end"),
                rows=part["rows_changed"],
            )
            for part in ranges[:_MOST_RANGES]
        ),
        ranges_in_all=len(ranges),
        aside=tuple(
            RowAside(relation=one["relation"], key=_words(one["key"]), sqlstate=one["sqlstate"], message=one["message"])
            for one in aside
        ),
        aside_in_all=int(result.get("quarantined", 0)),
    )


def _facts(result: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    remaining = found.get("remaining_rows")
    facts = [
        ("Rows changed", count(result.get("rows_changed"))),
        ("Rows looked at", count(result.get("rows_scanned"))),
        ("Rows that still match", "not asked: the change does not end its condition" if remaining is None else count(remaining)),
        ("Ranges", "no gap, no overlap" if found.get("gap_free") and found.get("disjoint") else "not closed"),
        ("Batches", f"{count(result.get('batches'))} in {span(result.get('seconds'))}"),
    ]
    if found.get("sweeps"):
        facts.append(("Sweeps", plural(found["sweeps"], "more walk")))
    facts += [(label, ", ".join(found[name])) for name, label in _LISTS.items() if found.get(name)]
    return tuple(facts)


_LISTS = {"gone": "Partitions that went meanwhile", "not_walked": "Partitions that came meanwhile, not walked"}


def _edge(value: Any, nowhere: str) -> str:
    """A bound in words: a page, a key, or the table's own end."""
    if value is None:
        return nowhere
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return "NULL in the key"
    return f"page {value}"


def _words(key: Any) -> str:
    return ", ".join(f"{name} = {value}" for name, value in key.items()) if isinstance(key, Mapping) else json.dumps(key)
