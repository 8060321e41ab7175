"""Judges of the first hour and of the statements: errors, the application's traffic, error rates, query times."""

import math
from typing import Any

from app.monitoring.differences import Comparison, DatabaseDifference
from app.monitoring.evidence import Evidence, Finding, Limits
from app.monitoring.verdict import Verdict, slow_new
from app.run.events import AttemptFailed, LockNotGranted, StepFailed, StepFinished

_NO_LOOK = Finding(state="unknown", sentence="No figures were read since the run.")


def no_migration_errors(evidence: Evidence) -> Finding:
    """No step is left failed, and verification found nothing wrong."""
    events = evidence.events
    open_failures: dict[str, str] = {}
    for event in events:
        if isinstance(event, StepFailed):
            open_failures[event.step] = event.message
        elif isinstance(event, StepFinished):
            open_failures.pop(event.step, None)
    retries = sum(isinstance(event, LockNotGranted | AttemptFailed) for event in events)
    finished = len({event.step for event in events if isinstance(event, StepFinished)})
    figures: dict[str, Any] = {"finished_steps": finished, "retries": retries, "failed_steps": sorted(open_failures)}
    if open_failures:
        step, message = next(iter(open_failures.items()))
        return Finding(state="failed", sentence=f"Step {step} failed: {message}", figures=figures)
    checked = evidence.verification
    if checked is None:
        return Finding(state="unknown", sentence="The result was not verified.", figures=figures)
    figures |= {"verification": checked.state}
    if checked.state != "passed":
        return Finding(state=checked.state, sentence=f"Verification: {checked.sentence()}.", figures=figures)
    sentence = f"{_count(finished, 'step')} finished, {_count(retries, 'retry', 'retries')}; verification: {checked.sentence()}."
    return Finding(state="passed", sentence=sentence, figures=figures)


def application_responds(evidence: Evidence) -> Finding:
    """The application's transactions arrive as before; a health address, where there is one, answers."""
    if evidence.health is not None:
        asked, fine = evidence.health
        if asked and fine < asked * 0.9:
            return Finding(
                state="failed", sentence=f"The health address answered {fine} of {asked} times.", figures={"health": fine / asked}
            )
    database = evidence.comparison.database if evidence.comparison else None
    if database is None:
        return _NO_LOOK
    figures = {
        "commits_per_second_before": database.commits_before,
        "commits_per_second_after": database.commits_after,
        "connections": database.connections,
        "lock_waiters": database.lock_waiters,
    }
    is_full = bool(database.connections and database.connections_usable) and (
        (database.connections or 0) >= evidence.limits.connections_full * (database.connections_usable or 1)
    )
    if is_full:
        sentence = f"{database.connections} of {database.connections_usable} connections are in use."
        return Finding(state="failed", sentence=sentence, figures=figures)
    return _by_commits(database, evidence, figures)


def _by_commits(database: DatabaseDifference, evidence: Evidence, figures: dict[str, Any]) -> Finding:
    now, before, what = database.commits_after, database.commits_before, "commits/s"
    if not before and evidence.comparison:
        now, before, what = *_calls(evidence.comparison), "calls/s on the plan's tables"
    side = "" if evidence.health else " No health address is set: this is the database's side only."
    if not before:
        return Finding(state="unknown", sentence=f"{now:.1f} {what}; there is no figure from before.{side}", figures=figures)
    share = now / before
    sentence = f"{now:.1f} {what} (before {before:.1f}).{side}"
    if share < evidence.limits.commit_rate_low and (database.lock_waiters or 0) > 0:
        return Finding(state="failed", sentence=f"{sentence} {database.lock_waiters} sessions wait for locks.", figures=figures)
    if share < evidence.limits.commit_rate_usual:
        return Finding(state="unknown", sentence=f"{sentence} That is less than usual: quiet hours, or trouble.", figures=figures)
    return Finding(state="passed", sentence=sentence, figures=figures)


def _calls(compared: Comparison) -> tuple[float, float | None]:
    """Calls per second of the statements on the plan's tables, after and before: where there was only one look before the run."""
    after = sum(found.calls_after for found in compared.statements) / compared.seconds_after
    before = sum(found.calls_before for found in compared.statements)
    return after, before / compared.seconds_before if compared.seconds_before else None


def no_more_errors(evidence: Evidence) -> Finding:
    """Transactions are rolled back no more often than before, and no deadlocks came."""
    database = evidence.comparison.database if evidence.comparison else None
    if database is None:
        return _NO_LOOK
    limits, total = evidence.limits, database.transactions_after
    share = database.rollbacks_after / total if total else 0.0
    share_before = (database.rollbacks_before or 0) / database.transactions_before if database.transactions_before else None
    z = _z(database)
    figures = {
        "rollback_share": share,
        "rollback_share_before": share_before,
        "z": z,
        "deadlocks": database.deadlocks_after,
        "transactions": total,
    }
    if database.deadlocks_after >= limits.deadlocks:
        return Finding(state="failed", sentence=f"{database.deadlocks_after} deadlocks since the run.", figures=figures)
    if total < limits.least_transactions:
        return Finding(state="unknown", sentence=f"Only {_count(total, 'transaction')}: too few to compare.", figures=figures)
    if share_before is None or z is None:
        return Finding(state="unknown", sentence=f"{share:.2%} rolled back; there is no figure from before.", figures=figures)
    deadlocks = _count(database.deadlocks_after, "deadlock")
    sentence = f"{share:.2%} rolled back (before {share_before:.2%}), {deadlocks}, {total:,} transactions."
    return Finding(
        state="failed" if _is_risen(database, share, share_before, z, limits) else "passed", sentence=sentence, figures=figures
    )


def _is_risen(database: DatabaseDifference, share: float, share_before: float, z: float, limits: Limits) -> bool:
    extra = database.rollbacks_after - share_before * database.transactions_after
    return share >= limits.rollback_ratio * share_before and z >= limits.rollback_z and extra >= limits.least_rollbacks


def _z(database: DatabaseDifference) -> float | None:
    """How many standard errors the shares of rolled back transactions are apart (two proportions)."""
    one, other = database.transactions_before, database.transactions_after
    if not one or not other or database.rollbacks_before is None:
        return None
    pooled = (database.rollbacks_before + database.rollbacks_after) / (one + other)
    error = math.sqrt(pooled * (1 - pooled) * (1 / one + 1 / other))
    return (database.rollbacks_after / other - database.rollbacks_before / one) / error if error else 0.0


def queries_stable(evidence: Evidence) -> Finding:
    """The statements on the plan's tables take as long as before."""
    judged, compared = evidence.verdict, evidence.comparison
    if judged is None or compared is None:
        return _NO_LOOK
    figures: dict[str, Any] = {
        "states": _states(judged),
        "control_factor": compared.control_factor,
        "control_size": compared.control_size,
        "coverage": compared.coverage,
    }
    slower = judged.of("worse", "slower")
    if judged.of("worse"):
        first = slower[0]
        sentence = f"{_count(len(slower), 'statement')} slower; first: {' '.join(first.query.split())[:120]}: {first.reason}."
        return Finding(state="failed", sentence=sentence, figures=figures)
    if not judged.is_covered:
        return Finding(state="unknown", sentence=" ".join(judged.reasons) or "Nothing could be compared.", figures=figures)
    stable = len(judged.of("same", "better"))
    sentence = f"{stable} of {_count(len(judged.statements), 'statement')} as fast as before or faster"
    sentence += f", {len(slower)} a little slower" if slower else ""
    return Finding(state="passed", sentence=f"{sentence}; everything else at {compared.control_factor:.2f}x.", figures=figures)


def no_slow_queries(evidence: Evidence) -> Finding:
    """No new statement on the plan's tables is slow."""
    judged, compared = evidence.verdict, evidence.comparison
    if judged is None or compared is None:
        return _NO_LOOK
    if not compared.has_statements:
        return Finding(state="unknown", sentence="There is no pg_stat_statements.")
    slow, new = slow_new(compared, judged.thresholds), judged.of("new")
    figures = {"new": len(new), "slow": len(slow), "slow_ms": judged.thresholds.slow_ms}
    if slow:
        first = slow[0]
        text = " ".join(first.query.split())[:120]
        sentence = f"New and slow: {text}: {first.mean_after_ms or 0:.0f} ms on average, {first.calls_after} calls."
        return Finding(state="failed", sentence=sentence, figures=figures)
    if compared.coverage is None:
        return Finding(state="unknown", sentence="No statement was seen before: none can be called new.", figures=figures)
    slowest = max((found.mean_after_ms or 0.0 for found in compared.statements if found.presence == "new"), default=0.0)
    detail = f", the slowest {slowest:.3g} ms on average" if new else ""
    return Finding(state="passed", sentence=f"{_count(len(new), 'new statement')}{detail}.", figures=figures)


def _states(judged: Verdict) -> dict[str, int]:
    counts: dict[str, int] = {}
    for found in judged.statements:
        counts[found.state] = counts.get(found.state, 0) + 1
    return counts


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
