"""Make an environment: the next stage of a project's promotion, with its rules."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError

from app.actions import reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.review.policy import default_policy
from app.store import targets
from app.store.tables.targets import Environment


def create_environment(
    work: Work,
    *,
    project_id: int,
    name: str,
    is_production: bool = False,
    color: str = "",
    policy: Mapping[str, Any] | None = None,
) -> Environment:
    """Make the last environment of the promotion so far; without a policy it gets the one that fits its kind.

    Raises NotFoundError, NotAllowedError, InvalidInputError.
    """
    project = reach.project(work, project_id, Permission.EDIT_TARGETS)
    name = wording.name(name)
    rules = default_policy(name, is_production=is_production) if policy is None else wording.policy(policy)
    environment = Environment(
        project_id=project.id,
        name=name,
        position=targets.last_position(work.session, project.id) + 1,
        # production is red, so that nobody mistakes it
        color=wording.color(color or ("red" if is_production else "blue")),
        is_production=is_production,
        policy=rules.as_json(),
        created_at=work.now,
    )
    try:
        with work.session.begin_nested():
            work.session.add(environment)
    except IntegrityError:
        raise wording.refused("name", f"{project.name} has an environment called {name} already.") from None
    work.note("create_environment", "environment", environment.id, project_id=project.id, name=name, policy=environment.policy)
    return environment
