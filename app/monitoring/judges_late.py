"""Judges of data, indexes and sizes: what shows within a day or a week."""

from typing import Any

from app.monitoring.differences import IndexDifference, TableDifference
from app.monitoring.evidence import Evidence, Finding

_NO_LOOK = Finding(state="unknown", sentence="No figures were read since the run.")
#: as pg_size_pretty writes it: 1 MB is 1024 kB
_MB = 1024 * 1024


def data_verified(evidence: Evidence) -> Finding:
    """The plan's checks and backfills hold, and no foreign key points nowhere."""
    checked, data = evidence.verification, evidence.integrity
    if checked is None or data is None:
        return Finding(state="unknown", sentence="The data was not looked at.")
    items = [item for item in checked.items if item.id.startswith(("check:", "backfill:", "constraints"))]
    figures: dict[str, Any] = {"checks": len(items), "foreign_keys": len(data.foreign_keys), "orphans": data.orphans}
    for item in items:
        if item.state == "failed":
            return Finding(state="failed", sentence=f"{item.title}: {'; '.join(item.evidence)}.", figures=figures)
    if data.orphans:
        return Finding(state="failed", sentence=_orphans(evidence), figures=figures)
    unknown = [f"{item.title}: {'; '.join(item.evidence)}" for item in items if item.state == "unknown"]
    unknown += [f"{check.relation}.{check.name}: {check.evidence}" for check in data.unanswered]
    if unknown:
        return Finding(state="unknown", sentence=f"{unknown[0]}.", figures=figures)
    sentence = f"{_count(len(items), 'check')} held, {_count(len(data.foreign_keys), 'foreign key')} checked, 0 orphans."
    return Finding(state="passed", sentence=sentence, figures=figures)


def indexes_used(evidence: Evidence) -> Finding:
    """Each new index that is there for speed was used; none was left invalid."""
    compared = evidence.comparison
    if compared is None:
        return _NO_LOOK
    broken = [
        index.name
        for index in compared.indexes.values()
        if not index.is_valid and not index.is_building and index.presence != "gone"
    ]
    new = [index for index in compared.indexes.values() if index.presence == "new"]
    figures: dict[str, Any] = {"new": {index.name: index.scans for index in new}, "invalid": broken}
    if broken:
        return Finding(state="failed", sentence=f"{', '.join(broken)} is invalid: drop it and build it again.", figures=figures)
    judged = [index for index in new if not index.is_exempt]
    unused = [index for index in judged if not index.scans]
    busy = [index for index in unused if _reads(compared.tables.get(index.relation)) >= evidence.limits.index_reads]
    if busy:
        return Finding(state="failed", sentence=f"{_unused(busy[0], compared.tables.get(busy[0].relation))}.", figures=figures)
    if unused:
        sentence = f"{unused[0].name} was not used yet, and {unused[0].relation} was read too seldom to tell."
        return Finding(state="unknown", sentence=sentence, figures=figures)
    if not judged:
        return Finding(state="passed", sentence="The plan made no index that has to prove its use.", figures=figures)
    return Finding(
        state="passed", sentence="; ".join(f"{index.name}: {index.scans:,} scans" for index in judged) + ".", figures=figures
    )


def _reads(table: TableDifference | None) -> int:
    return (table.sequential_scans or 0) + (table.index_scans or 0) if table else 0


def _unused(index: IndexDifference, table: TableDifference | None) -> str:
    size = f", takes {index.bytes / _MB:.1f} MB" if index.bytes else ""
    return f"{index.name} was never used while {index.relation} was read {_reads(table):,} times{size}"


def size_reasonable(evidence: Evidence) -> Finding:
    """No table is much bigger than it has to be, and dead rows are being removed."""
    compared = evidence.comparison
    if compared is None:
        return _NO_LOOK
    findings = [_size(table, evidence) for table in compared.tables.values()]
    figures = {table.name: {"before": table.bytes_before, "after": table.bytes_after} for table in compared.tables.values()}
    for state in ("failed", "unknown"):
        sentences = [sentence for found, sentence in findings if found == state]
        if sentences:
            return Finding(state="failed" if state == "failed" else "unknown", sentence=" ".join(sentences), figures=figures)
    return Finding(
        state="passed", sentence=" ".join(sentence for _, sentence in findings) or "No table is left.", figures=figures
    )


def _size(table: TableDifference, evidence: Evidence) -> tuple[str, str]:
    limits = evidence.limits
    if table.bytes_after is None:
        return "unknown", f"The size of {table.name} can't be read while it is being altered."
    predicted = evidence.predicted_bytes.get(table.name)
    now = f"{table.name}: {table.bytes_after / _MB:.1f} MB"
    expected = predicted if predicted is not None else table.bytes_before
    if expected is not None:
        now += f" (before {(table.bytes_before or 0) / _MB:.1f}" + (f", predicted {predicted / _MB:.1f})" if predicted else ")")
        ratio = limits.size_ratio if predicted is not None else limits.size_ratio_unpredicted
        if table.bytes_after > max(expected * ratio, limits.size_floor_bytes):
            return "failed", f"{now}: more than {ratio:g}x of what is expected."
    dead = table.dead_rows_after / (table.rows_after + table.dead_rows_after) if table.dead_rows_after else 0.0
    if dead > limits.dead_share and table.dead_rows_after > table.vacuum_at_dead_rows and table.last_vacuum is None:
        return "failed", f"{now}, {dead:.0%} of its rows are dead, and it was never vacuumed."
    return "passed", f"{now}, {dead:.0%} dead."


def no_orphans(evidence: Evidence) -> Finding:
    """No row points nowhere, and nothing of the run is left unfinished."""
    data = evidence.integrity
    if data is None:
        return Finding(state="unknown", sentence="The data was not looked at.")
    left = [name for name in data.unvalidated if name not in evidence.loose_on_purpose]
    figures = {
        "orphans": data.orphans,
        "foreign_keys": len(data.foreign_keys),
        "unvalidated": left,
        "invalid": list(data.invalid_indexes),
    }
    if data.orphans:
        return Finding(state="failed", sentence=_orphans(evidence), figures=figures)
    if data.invalid_indexes:
        return Finding(state="failed", sentence=f"{', '.join(data.invalid_indexes)} is invalid.", figures=figures)
    if left:
        return Finding(state="failed", sentence=f"{', '.join(left)} is still not validated.", figures=figures)
    if data.unanswered:
        first = data.unanswered[0]
        return Finding(state="unknown", sentence=f"{first.relation}.{first.name}: {first.evidence}.", figures=figures)
    return Finding(
        state="passed",
        sentence=f"0 orphans in {_count(len(data.foreign_keys), 'foreign key')}; nothing is left over.",
        figures=figures,
    )


def _count(number: int, one: str) -> str:
    return f"{number} {one if number == 1 else one + 's'}"


def _orphans(evidence: Evidence) -> str:
    keys = evidence.integrity.foreign_keys if evidence.integrity else ()
    return " ".join(f"{check.relation}.{check.name}: {check.evidence}." for check in keys if check.orphans)
