"""How figures and moments are written on pages: the same everywhere, with the exact value on hover."""

from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

_BYTES = ("bytes", "kB", "MB", "GB", "TB", "PB")
_STEP = 1024
_TEN = 10
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
UNKNOWN = "unknown"


def size(value: float | None) -> str:
    """Bytes in the unit that reads best: ``1.8 GB``."""
    if value is None:
        return UNKNOWN
    number, unit = float(value), _BYTES[0]
    for name in _BYTES:
        unit = name
        if abs(number) < _STEP or name == _BYTES[-1]:
            break
        number /= _STEP
    return f"{number:.0f} {unit}" if unit == "bytes" or abs(number) >= _TEN else f"{number:.1f} {unit}"


def count(value: float | None) -> str:
    """A whole number with thousands separated: ``15,210,000``."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def short_count(value: float | None) -> str:
    """A number in few characters: ``41.2k``."""
    if value is None:
        return UNKNOWN
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.1f}{unit}"
    return f"{value:,.0f}" if value == int(value) else f"{value:.1f}"


def span(seconds: float | None) -> str:
    """A duration in two units at most: ``5 m 12 s``."""
    if seconds is None:
        return UNKNOWN
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds < _TEN else f"{seconds:.0f} s"
    whole = round(seconds)
    for unit, name, next_unit, next_name in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "m"), (_MINUTE, "m", 1, "s")):
        if whole >= unit:
            rest = whole % unit // next_unit
            return f"{whole // unit} {name} {rest:02d} {next_name}" if rest else f"{whole // unit} {name}"
    return f"{whole} s"


def milliseconds(value: float | None) -> str:
    """A duration that is kept in milliseconds."""
    return UNKNOWN if value is None else span(value / 1000) if value >= _TEN else f"{value:.1f} ms"


def relative(at: datetime, now: datetime, *, bare: bool = False) -> str:
    """How long ago, or in how long, in one unit: ``12 minutes ago``, ``in 3 hours``; ``bare``: ``12 minutes``, after "for"."""
    seconds = (now - at).total_seconds()
    distance = abs(seconds)
    if distance < _TEN:
        return "a moment" if bare else "just now"
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second")):
        if distance >= unit:
            number = int(distance // unit)
            text = f"{number} {name}{'' if number == 1 else 's'}"
            return text if bare else f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now"


def moment(value: datetime | str | None, now: datetime, *, bare: bool = False) -> Markup:
    """A ``<time>``: relative words, the exact moment on hover and for machines; ``bare`` for how long it lasts."""
    if value is None:
        return Markup("never")
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    exact = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    # the page's script keeps the words of a time with data-relative true while the page stays open
    words = relative(at, now, bare=bare)
    kind = "bare" if bare else ""
    return Markup('<time datetime="{}" title="{}" data-relative="{}">{}</time>').format(at.isoformat(), exact, kind, words)


def clock(value: datetime | None, now: datetime) -> Markup:
    """A ``<time>`` that never moves: ``14:02 UTC``, with the day in front where it is another one; the exact moment on hover."""
    if value is None:
        return Markup("never")
    at = value.astimezone(UTC)
    day = "" if at.date() == now.astimezone(UTC).date() else f"{at.day} {at:%b} " if at.year == now.year else f"{at:%Y-%m-%d} "
    exact = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}" title="{}">{}{} UTC</time>').format(at.isoformat(), exact, day, at.strftime("%H:%M"))


def exact(value: datetime | str | None) -> str:
    """The moment in full: ``2026-11-22 14:08:24 UTC``."""
    if value is None:
        return "never"
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def plural(number: int, one: str, many: str | None = None) -> str:
    """``1 step``, ``3 steps``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def words(value: Any) -> str:
    """A stored word as people read it: ``in_review`` is ``in review``."""
    return str(getattr(value, "value", value)).replace("_", " ").replace("-", " ")


def initials(name: str) -> str:
    """One or two letters that stand for a person."""
    parts = [part for part in name.split() if part]
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper() or "?"
