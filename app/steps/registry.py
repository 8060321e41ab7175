"""Every step kind by its name. Adding one: a module here, a line below, a template part, a test module."""

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from app.errors import NotFoundError
from app.steps.protocol import StepKind

#: Kind -> module and class; loaded when first asked for, so that a command pays only for what it runs.
KINDS: Mapping[str, tuple[str, str]] = {
    "sql": ("app.steps.sql", "Sql"),
    "backfill": ("app.steps.backfill", "Backfill"),
    "check": ("app.steps.check", "Check"),
    "gate": ("app.steps.gate", "Gate"),
    "hook": ("app.steps.hook", "Hook"),
    "backup": ("app.steps.backup", "Backup"),
    "wait": ("app.steps.wait", "Wait"),
}


def kind_of(name: str) -> StepKind:
    """The kind of that name.

    Raises NotFoundError where there is none.
    """
    if name not in KINDS:
        raise NotFoundError(f"There is no step kind '{name}'.", hint=f"Known are: {', '.join(KINDS)}.")
    module, cls = KINDS[name]
    return cast("StepKind", getattr(import_module(module), cls)())
