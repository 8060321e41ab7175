"""A rehearsal as its page shows it: the verdict in a sentence, what each statement took, and what would break."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.sql.lock_levels import MODES
from app.web.formats import milliseconds, plural, words

#: from this mode on others wait: SHARE blocks writes, ACCESS EXCLUSIVE reads too
_BLOCKS_WRITES, _BLOCKS_READS = MODES.index("SHARE"), MODES.index("ACCESS EXCLUSIVE")
_PERCENT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One statement as it ran on the shadow."""

    index: int
    step: str
    sql: str
    duration_ms: float
    #: "ACCESS EXCLUSIVE on public.users for 4 ms: reads and writes wait", strongest first
    locks: tuple[str, ...]
    #: True where one of them makes others wait
    blocks: bool
    rewrites: tuple[str, ...]
    scans: tuple[str, ...]
    wal_bytes: int
    error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationLocks:
    """What one relation went through in the whole plan."""

    relation: str
    mode: str
    blocks: str
    held_ms: float
    statements: int
    #: of the longest, 0 to 100
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One safe point at which the worker was killed, in words."""

    point: int
    step: str
    #: what was about to be kept when the worker was gone: "unit committed"
    event: str
    #: why it was not resumed as it should be, or ""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalPage:
    """Everything that a finished rehearsal saw."""

    tone: str
    icon: str
    sentence: str
    reasons: tuple[str, ...]
    figures: tuple[tuple[str, str, str], ...]
    traces: tuple[Trace, ...]
    locks: tuple[RelationLocks, ...]
    #: of the crash test; empty where none was made
    kills: tuple[Kill, ...]
    result: Mapping[str, Any]


def rehearsal_page(result: Mapping[str, Any]) -> RehearsalPage:
    """The page of a rehearse document."""
    traces = tuple(_trace(found) for found in result.get("statements", ()))
    tone, icon, sentence = _verdict(result, traces)
    return RehearsalPage(
        tone=tone,
        icon=icon,
        sentence=sentence,
        reasons=tuple(_reasons(result, traces)),
        figures=_figures(result, traces),
        traces=traces,
        locks=relation_locks(result.get("statements", ())),
        kills=kills(result.get("crash_test") or {}),
        result=result,
    )


def waits(mode: str) -> str:
    """Who waits while the lock is held: "reads and writes", "writes", or ""."""
    rank = MODES.index(mode) if mode in MODES else -1
    return "reads and writes" if rank >= _BLOCKS_READS else "writes" if rank >= _BLOCKS_WRITES else ""


def relation_locks(statements: Sequence[Mapping[str, Any]]) -> tuple[RelationLocks, ...]:
    """Relations by how long they were held by a lock that makes others wait, the longest first."""
    seen: dict[str, list[Mapping[str, Any]]] = {}
    for statement in statements:
        for lock in statement.get("locks", ()):
            seen.setdefault(str(lock["relation"]), []).append(lock)
    held = {name: sum(float(lock["held_ms"]) for lock in locks if waits(lock["mode"])) for name, locks in seen.items()}
    longest = max(held.values(), default=0.0)
    found = []
    for name, locks in seen.items():
        strongest = max((str(lock["mode"]) for lock in locks), key=lambda mode: MODES.index(mode) if mode in MODES else -1)
        found.append(
            RelationLocks(
                relation=name,
                mode=strongest,
                blocks=waits(strongest),
                held_ms=held[name],
                statements=len(locks),
                percent=_PERCENT * held[name] / longest if longest else 0.0,
            )
        )
    return tuple(sorted(found, key=lambda row: (-row.held_ms, row.relation)))


def _trace(found: Mapping[str, Any]) -> Trace:
    locks = sorted(found.get("locks", ()), key=lambda lock: -MODES.index(lock["mode"]) if lock["mode"] in MODES else 1)
    return Trace(
        index=int(found["index"]),
        step=str(found["step"]),
        sql=str(found["sql"]),
        duration_ms=float(found["duration_ms"]),
        locks=tuple(_lock(lock) for lock in locks),
        blocks=any(waits(lock["mode"]) for lock in locks),
        rewrites=tuple(found.get("rewrites", ())),
        scans=tuple(found.get("scans", ())),
        wal_bytes=int(found.get("wal_bytes", 0)),
        error=found.get("error"),
    )


def _lock(lock: Mapping[str, Any]) -> str:
    who = waits(lock["mode"])
    return f"{lock['mode']} on {lock['relation']} for {milliseconds(lock['held_ms'])}{f': {who} wait' if who else ''}"


def _verdict(result: Mapping[str, Any], traces: Sequence[Trace]) -> tuple[str, str, str]:
    broken = len(result.get("queries", {}).get("broken", ()))
    back = result.get("rollback", {})
    total = f"{plural(len(traces), 'statement')} in {milliseconds(sum(trace.duration_ms for trace in traces))}"
    if not result.get("ok"):
        return "is-bad", "octagon-alert", "It does not run as written"
    if broken:
        return "is-bad", "octagon-alert", f"It runs, and {plural(broken, 'known query breaks', 'known queries break')}"
    if back.get("ran") and not back.get("schema_restored"):
        return "is-bad", "octagon-alert", "It runs, but the rollback does not bring the schema back"
    if lost := (result.get("crash_test") or {}).get("failed"):
        return "is-bad", "octagon-alert", f"It runs, but was not resumed as it should be after {plural(len(lost), 'kill')}"
    if not back.get("ran"):
        return "is-warn", "triangle-alert", f"It runs: {total}. The way back was not rehearsed"
    return "is-ok", "circle-check", f"It runs, back and forward again: {total}"


def _reasons(result: Mapping[str, Any], traces: Sequence[Trace]) -> list[str]:
    error = result.get("error")
    found = [str(error["message"])] if error else []
    rewritten = sorted({name for trace in traces for name in trace.rewrites})
    scanned = sorted({name for trace in traces for name in trace.scans})
    found.append(f"Rewritten: {', '.join(rewritten)}." if rewritten else "No table that was there before is rewritten.")
    if scanned:
        found.append(f"Read from end to end: {', '.join(scanned)}.")
    back = result.get("rollback", {})
    if back.get("ran"):
        exact = "The rollback restores the schema exactly, and the plan runs again after it."
        left = plural(len(back.get("left_over", ())), "difference")
        found.append(exact if back.get("schema_restored") else f"After the rollback {left} to the schema before stay.")
    elif back.get("reason"):
        found.append(str(back["reason"]))
    if result.get("crash_test"):
        found.append(crash_sentence(result["crash_test"]))
    queries = result.get("queries", {})
    if queries.get("known"):
        found.append(f"{queries.get('planned', 0)} of {queries['known']} known queries could be planned before and after.")
    return found


def crash_sentence(tested: Mapping[str, Any]) -> str:
    """``Resumed correctly 14 of 14 times, ...``, and why not every safe point was tried."""
    if not tested.get("tried"):
        return f"Crash test: {tested.get('stopped') or 'no safe point was tried.'}"
    said = f"Resumed correctly {tested['resumed']} of {tested['tried']} times after its worker was killed"
    every = "once at every safe point" if tested["tried"] == tested["points"] else f"of {tested['points']} safe points"
    return f"{said}, {every}. {tested.get('stopped', '')}".rstrip()


def kills(tested: Mapping[str, Any]) -> tuple[Kill, ...]:
    """Every kill of a crash test, those that went wrong first."""
    wrong = {lost["point"]: str(lost["reason"]) for lost in tested.get("failed", ())}
    found = [
        Kill(point=kill["point"], step=str(kill["step"]), event=words(str(kill["event"])), reason=wrong.get(kill["point"], ""))
        for kill in tested.get("kills", ())
    ]
    return tuple(sorted(found, key=lambda kill: (not kill.reason, kill.point)))


def _figures(result: Mapping[str, Any], traces: Sequence[Trace]) -> tuple[tuple[str, str, str], ...]:
    locks = relation_locks(result.get("statements", ()))
    longest = locks[0] if locks and locks[0].held_ms else None
    queries = result.get("queries", {})
    server = result.get("server", {})
    return (
        ("Statements", str(len(traces)), ""),
        (
            "Others wait longest",
            milliseconds(longest.held_ms) if longest else "nobody waits",
            longest.relation if longest else "",
        ),
        ("Schema changes", str(len(result.get("schema", {}).get("diff", ()))), ""),
        ("Queries that break", str(len(queries.get("broken", ()))), f"of {queries.get('known', 0)} known"),
        ("Shadow", f"PostgreSQL {server.get('shadow', '?')}", f"target {server.get('target', '?')}"),
    )
