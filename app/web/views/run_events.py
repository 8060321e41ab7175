"""Events as lines of the log: a plain sentence, its figure, and the tone it is shown with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.run.events import Event
from app.web.formats import count, exact, milliseconds, plural, size, span, words
from app.web.tones import tone as tone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """One line of a run's log."""

    number: int
    at: datetime
    type: str
    #: work, decision, person, state: what the page filters by
    group: str
    #: a class of the stylesheet, or ""
    tone: str
    text: str
    figure: str
    #: SQL or a longer text that opens under the line
    more: str = ""
    #: behind the newest lines, for the filter only
    is_older: bool = False


_Said = tuple[str, str, str]
_WHEN = {"now": "right after the run", "1h": "in the first hour", "24h": "in the first day", "1w": "in the first week"}
_VERDICTS = {
    "fine": "nothing got worse",
    "watch": "keep an eye on it",
    "worse": "something got worse",
    "unknown": "can't be told yet",
}
_OK, _WARN, _BAD, _NOTE, _PLAIN = "is-ok", "is-warn", "is-bad", "is-note", ""


def _statement_finished(e: Any) -> _Said:
    rows = f"{count(e.changed_rows)} rows · " if e.changed_rows >= 0 else ""
    return _PLAIN, f"Statement {e.index} of {e.step} came back", f"{rows}{milliseconds(e.duration_ms)}"


def _lock_not_granted(e: Any) -> _Said:
    held = f": {'; '.join(e.blockers)}" if e.blockers else ""
    return _WARN, f"No lock for {e.step} in time{held}", f"{_try(e)}, again in {span(e.retry_in_ms / 1000)}"


def _try(e: Any) -> str:
    return f"try {e.attempt} of {e.attempts}" if e.attempts else f"try {e.attempt}"


def _because(note: str) -> str:
    return f": {note}" if note else ""


def _backfill_finished(e: Any) -> _Said:
    aside = f", {plural(e.quarantined, 'row')} set aside" if e.quarantined else ""
    return _OK, f"{e.step} is filled: nothing is left to do{aside}", f"{count(e.rows_changed)} rows in {span(e.seconds)}"


def _state_changed(e: Any) -> _Said:
    look = {"failed": _BAD, "completed": _OK, "monitoring": _OK, "paused": _WARN, "cancelled": _WARN}.get(e.target, _PLAIN)
    by = f" by {e.by}" if e.by else ""
    return look, f"Now {tone_of('run', e.target).word}{by}. {e.reason}", ""


def _verification_finished(e: Any) -> _Said:
    return (
        (_BAD if e.failed else _OK),
        "The result was compared with the plan",
        f"{e.passed} passed, {e.failed} failed, {e.unknown} unknown",
    )


_SENTENCES: dict[str, Callable[[Any], _Said]] = {
    "run_created": lambda e: (
        _NOTE,
        f"{e.by} asked for this {'rollback' if e.direction == 'rollback' else 'run'}",
        e.digest[:12],
    ),
    "run_started": lambda e: (_PLAIN, f"Worker {e.worker} drives the run", f"PostgreSQL {e.server_version}"),
    "run_taken_over": lambda e: (
        _WARN,
        f"{e.worker} took the run over from {e.previous_worker}, which was silent",
        f"fence {e.fence}",
    ),
    "state_changed": _state_changed,
    "step_started": lambda e: (_PLAIN, f"Step {e.step} began", f"attempt {e.attempt}" if e.attempt > 1 else words(e.kind)),
    "step_finished": lambda e: (_OK, f"Step {e.step} is done", milliseconds(e.duration_ms)),
    "step_failed": lambda e: (_BAD, f"Step {e.step} failed: {e.message}", e.sqlstate or ""),
    "step_skipped": lambda e: (_NOTE, f"{e.by} skipped {e.step}: {e.reason}", ""),
    "step_rolled_back": lambda e: (_OK, f"Step {e.step} is undone", milliseconds(e.duration_ms)),
    "step_not_undone": lambda e: (_WARN, f"Step {e.step} stays: {e.reason}", ""),
    "statement_started": lambda e: (_PLAIN, f"Statement {e.index} of {e.of} in {e.step}", f"pid {e.pid}"),
    "statement_finished": _statement_finished,
    "unit_committed": lambda e: (_OK, f"Unit {e.unit} of {e.of} in {e.step} took effect", milliseconds(e.duration_ms)),
    "unit_found_done": lambda e: (_NOTE, f"Unit {e.unit} of {e.step} had taken effect before: not done again", "ledger"),
    "lock_not_granted": _lock_not_granted,
    "blocker_awaited": lambda e: (
        _WARN,
        f"Waiting outside the lock queue: {'; '.join(e.blockers)}",
        f"up to {span(e.patience_ms / 1000)}",
    ),
    "queue_yielded": lambda e: (
        _WARN,
        f"{plural(e.waiting, 'session')} waited behind {e.step}: gave way",
        f"again in {span(e.retry_in_ms / 1000)}",
    ),
    "attempt_failed": lambda e: (
        _WARN,
        f"{e.step} was rolled back: {e.message}",
        f"{_try(e)}, again in {span(e.retry_in_ms / 1000)}",
    ),
    "unit_reconciled": lambda e: (
        _NOTE,
        f"Unit {e.unit} of {e.step}: {e.found}",
        "done" if e.outcome == "done" else "runs again",
    ),
    "backfill_planned": lambda e: (
        _NOTE,
        f"{e.table} is walked by {words(e.strategy)}: {'; '.join(e.reasons)}",
        f"about {count(e.estimated_rows)} rows",
    ),
    "batch_committed": lambda e: (
        _PLAIN,
        f"{plural(e.batches, 'batch', 'batches')} committed: {count(e.rows_changed)} rows",
        f"the last {count(e.batch_rows)} rows in {milliseconds(e.batch_ms)}",
    ),
    "backfill_slowed": lambda e: (
        _WARN,
        f"Slower: {words(e.signal)} passed its limit",
        f"{e.value:.3g} {e.unit}, limit {e.limit:.3g}",
    ),
    "backfill_sped_up": lambda _: (_OK, "Faster again: the signals are calm", ""),
    "row_quarantined": lambda e: (_BAD, f"Row {e.key} was set aside: {e.message}", e.sqlstate),
    "row_recovered": lambda e: (_OK, f"Row {e.key} was set aside before and is done now", ""),
    "backfill_finished": _backfill_finished,
    "check_passed": lambda e: (_OK, f"Check {e.step} holds: {e.found}", milliseconds(e.duration_ms)),
    "gate_reached": lambda e: (_WARN, f"Gate: {e.ask}", f"waits for {e.who}" if e.who else "waits for a person"),
    "gate_opened": lambda e: (_NOTE, f"{e.by} opened {e.step}{': ' + e.note if e.note else ''}", ""),
    "hook_called": lambda e: (_OK, f"{e.url} answered", f"{e.status} · {milliseconds(e.duration_ms)}"),
    "wait_started": lambda e: (_PLAIN, f"The plan waits until {exact(e.until)}", ""),
    "backup_started": lambda e: (_PLAIN, f"Backing up {plural(e.tables, 'table')}", size(e.source_bytes)),
    "backup_finished": lambda e: (
        _OK,
        f"Backup written, hashed and listed: {plural(e.entries, 'entry', 'entries')}",
        f"{size(e.size_bytes)} in {span(e.seconds)}",
    ),
    "target_lost": lambda e: (_BAD, f"The target does not answer: {e.message}", f"knocks again in {span(e.retry_in_ms / 1000)}"),
    "target_found": lambda e: (_OK, "The target answers again", f"away for {span(e.away_seconds)}"),
    "stop_asked": lambda e: (_NOTE, f"{e.by} asked to {e.what}{': ' + e.reason if e.reason else ''}", ""),
    "control_asked": lambda e: (_NOTE, f"{e.by} asks for the control{_because(e.note)}", ""),
    "control_declined": lambda e: (_NOTE, f"{e.by} keeps the control that {e.person} asked for{_because(e.note)}", ""),
    "control_handed_over": lambda e: (_NOTE, f"{e.by} handed the control to {e.person}{_because(e.note)}", ""),
    "control_taken": lambda e: (_WARN, f"{e.by} took the control from {e.person}: {e.reason}", "to be reviewed"),
    "control_reviewed": lambda e: (_NOTE, f"{e.by} reviewed that {e.person} took the control: {e.note}", ""),
    "session_end_asked": lambda e: (_WARN, f"{e.by} has a session ended: {e.session}. {e.reason}", f"pid {e.pid}"),
    "session_ended": lambda e: (
        _OK if e.outcome == "ended" else _WARN,
        {"ended": "The session was ended", "gone": "The session was gone already"}.get(e.outcome, "The session was not ended")
        + (f": {e.message}" if e.message else ""),
        f"pid {e.pid}",
    ),
    "statement_cancelled": lambda e: (_NOTE, f"The statement of {e.step} was cancelled on the server", f"pid {e.pid}"),
    "verification_finished": _verification_finished,
    "snapshot_taken": lambda e: (
        _PLAIN,
        f"Figures were read {_WHEN.get(e.window, e.window)}",
        _VERDICTS.get(e.verdict, e.verdict),
    ),
    "run_finished": lambda e: (
        _OK if e.state in {"completed", "monitoring"} else _WARN,
        f"The run ended: {words(e.state)}",
        span(e.seconds),
    ),
}


def event_line(number: int, at: datetime, event: Event) -> EventLine:
    """The line of one event; a type that is new here is shown by its name."""
    tone, text, figure = _SENTENCES.get(event.type(), lambda e: (_PLAIN, words(e.type()).capitalize(), ""))(event)
    return EventLine(
        number=number,
        at=at,
        type=event.type(),
        group=event.group,
        tone=tone,
        text=text,
        figure=figure,
        more=getattr(event, "sql", "") or getattr(event, "statement", "") or "",
    )
