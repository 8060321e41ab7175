"""Change an environment: its name, its colour, its rules."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError

from app.actions import reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store.tables.targets import Environment


def edit_environment(
    work: Work,
    *,
    environment_id: int,
    name: str | None = None,
    color: str | None = None,
    is_production: bool | None = None,
    policy: Mapping[str, Any] | None = None,
) -> Environment:
    """Change what is given; rules that a policy leaves out keep their value. Runs that were started keep the rules they had.

    Raises NotFoundError, NotAllowedError, InvalidInputError.
    """
    environment = reach.environment(work, environment_id, Permission.EDIT_TARGETS)
    before = _summary(environment)
    if name is not None:
        environment.name = wording.name(name)
    if color is not None:
        environment.color = wording.color(color)
    if is_production is not None:
        environment.is_production = is_production
    if policy is not None:
        environment.policy = wording.policy({**environment.policy, **policy}).as_json()
    try:
        with work.session.begin_nested():
            work.session.flush()
    except IntegrityError:
        raise wording.refused("name", "The project has an environment of that name already.") from None
    after = _summary(environment)
    if after != before:
        changes = {key: {"before": before[key], "after": after[key]} for key in after if before[key] != after[key]}
        work.note("edit_environment", "environment", environment.id, project_id=environment.project_id, changes=changes)
    return environment


def _summary(environment: Environment) -> dict[str, Any]:
    return {
        "name": environment.name,
        "color": environment.color,
        "is_production": environment.is_production,
        "policy": environment.policy,
    }
