"""What an API token may do, and that every right has its least role."""

import pytest

from app.actions.permissions import MINIMUM_ROLE, Permission
from app.errors import NotAllowedError
from app.review.roles import Role
from tests.doubles.world import World


def test_a_token_does_no_more_than_its_scopes_and_looking_is_always_among_them(world: World):
    with world.sessions() as session:
        actor = world.actor("operator", session, scopes=frozenset({Permission.START_RUN}))
    assert actor.may(world.project.id, Permission.START_RUN)
    assert actor.may(world.project.id, Permission.VIEW)
    with pytest.raises(NotAllowedError, match="token"):
        actor.require(world.project.id, Permission.CONTROL_RUN)


def test_an_administrators_token_with_scopes_is_no_administrator(world: World):
    with world.sessions() as session:
        actor = world.actor("admin", session, scopes=frozenset({Permission.VIEW}))
    with pytest.raises(NotAllowedError):
        actor.require_admin("create projects")


def test_every_right_has_a_least_role():
    assert set(MINIMUM_ROLE) == set(Permission)
    assert MINIMUM_ROLE[Permission.VIEW] is Role.VIEWER
