"""Which backups may go: a decision from their ages and from what still rests on them, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One stored backup of a target."""

    id: int
    finished_at: datetime
    #: of the whole database
    is_whole: bool
    #: verified, and not found damaged since
    is_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a backup goes now, and why."""

    expires: bool
    why: str


def judge(backups: Sequence[Kept], *, newest: int, days: int, needed: Mapping[int, str], now: datetime) -> dict[int, Verdict]:
    """Backup -> verdict, for all stored backups of one target.

    ``newest``: so many good ones of the whole database stay whatever their age. ``days``: younger ones stay; 0 keeps all.
    ``needed``: backup -> what rests on it. The newest good one stays in any case.
    """
    ordered = sorted(backups, key=lambda each: (each.finished_at, each.id), reverse=True)
    good = [each.id for each in ordered if each.is_whole and each.is_good]
    return {each.id: _judge(each, good, newest=newest, days=days, needed=needed, now=now) for each in ordered}


def _judge(one: Kept, good: Sequence[int], *, newest: int, days: int, needed: Mapping[int, str], now: datetime) -> Verdict:
    if one.id in needed:
        return _stays(needed[one.id])
    if good[:1] == [one.id]:
        return _stays("It is the newest good backup of the whole database; that one is never deleted.")
    if days == 0:
        return _stays("Here backups are kept for ever.")
    if one.id in good[:newest]:
        return _stays(f"It is one of the {newest} newest good backups.")
    until = one.finished_at + timedelta(days=days)
    if now < until:
        return _stays(f"It is kept until {until:%Y-%m-%d}, {days} days after it was taken.")
    return Verdict(expires=True, why=f"It is older than {days} days, and there are newer ones.")


def _stays(why: str) -> Verdict:
    return Verdict(expires=False, why=why)
