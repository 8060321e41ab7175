"""The limits of each step as they would hold if the plan ran now: what waits for whom, and for how long at most."""

from collections.abc import Mapping

from app.actions.starting import frozen_limits
from app.errors import HeadgateError
from app.plan.model import Plan as Content
from app.review.policy import EnvironmentPolicy
from app.steps.limits import StepLimits, limits_of
from app.steps.protocol import LockPolicy


def step_limits(content: Content, policy: EnvironmentPolicy) -> Mapping[str, StepLimits]:
    """By the step's id; a step whose SQL can't be run has none, since analysis says why."""
    locks = LockPolicy(**frozen_limits(policy))
    found: dict[str, StepLimits] = {}
    for step in content.steps():
        try:
            found[step.id] = limits_of(step, locks)
        except HeadgateError:
            continue
    return found
