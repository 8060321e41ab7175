"""What the scheduler does and how often (seconds); each of it is also safe to do twice at once."""

from typing import Any

from app.settings import get_settings

BEAT: dict[str, dict[str, Any]] = {
    "wake runs whose driver is gone, and lost jobs": {
        "task": "headgate.sweep",
        "schedule": get_settings().sweep_seconds,
        "options": {"expires": 10},
    },
    "delete backups that no rule keeps": {"task": "headgate.expire_backups", "schedule": 900.0, "options": {"expires": 600}},
    "take the figures that are due": {"task": "headgate.monitor_due", "schedule": 15.0, "options": {"expires": 30}},
}
