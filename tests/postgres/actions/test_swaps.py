"""A restored database takes the place of the target's, and gives it back: typed, agreed to, audited."""

import pytest

from app.actions.name_sessions import name_sessions
from app.actions.swap_database import swap_database
from app.errors import InvalidInputError, MovedMeanwhileError
from app.store.tables import Job, Restore
from app.store.words import JobKind, RestoreState
from tests.postgres.actions.yard import Yard


def test_a_restored_database_is_swapped_in_and_back_with_every_step_audited(yard: Yard):
    number = yard.taken()
    yard.shop.execute("DELETE FROM users")
    made = yard.restored(number)
    row = yard.swapped(made)
    assert (row.state, row.swap["result"]["ended"]) == (RestoreState.SWAPPED, [])
    assert yard.shop.value("SELECT count(*) FROM users") == 500
    assert yard.swapped(made).state is RestoreState.DONE
    assert yard.shop.value("SELECT count(*) FROM users") == 0
    assert yard.acts()[2:] == ["swap_database", "swapped_database", "swap_back", "swapped_back"]
    with yard.world.sessions() as session:
        kinds = {job.kind for job in session.query(Job).filter_by(subject_id=yard.world.production.id, state="queued")}
    assert JobKind.SNAPSHOT_SCHEMA in kinds, "another schema may answer by that name now"


def test_a_swap_needs_the_typed_name_a_fresh_look_and_the_consent_to_end_sessions(yard: Yard):
    made = yard.restored(yard.taken())

    def swap(confirmation: str = "shop-production") -> None:
        with yard.world.work("operator") as work:
            swap_database(work, restore_id=made, confirmation=confirmation, end_sessions=False)

    with pytest.raises(InvalidInputError, match="Type shop-production"):
        swap("shop")
    with pytest.raises(MovedMeanwhileError, match="Nobody looked"):
        swap()
    with yard.shop.connect() as billing:
        billing.execute("SET application_name = 'billing'")
        with yard.world.work("operator") as work:
            name_sessions(work, restore_id=made)
        yard.work()
        assert [each["application"] for each in yard.restore(made).sessions["sessions"]] == ["billing"]
        with pytest.raises(InvalidInputError, match="1 sessions are connected"):
            swap()
        row = yard.swapped(made, end_sessions=True)
    assert [each["application"] for each in row.swap["result"]["ended"]] == ["billing"]
    yard.world.clock.advance(660)
    with pytest.raises(MovedMeanwhileError, match="Nobody looked"):
        swap()


def test_a_swap_that_is_refused_leaves_the_old_database_and_says_why(yard: Yard):
    made = yard.restored(yard.taken())
    with yard.world.work("operator") as work:
        name_sessions(work, restore_id=made)
    yard.work()
    with yard.shop.connect() as late:
        late.execute("SET application_name = 'late'")
        with yard.world.work("operator") as work:
            swap_database(work, restore_id=made, confirmation="shop-production", end_sessions=True)
        yard.work()
        assert late.execute("SELECT count(*) FROM users").fetchone() == (500,)
    row = yard.restore(made)
    assert (row.state, row.sessions) == (RestoreState.DONE, None)
    assert "late as" in row.swap["error"]["message"]


def test_while_a_run_works_on_the_target_nothing_is_swapped(yard: Yard):
    made = yard.world.restored(yard.world.backed_up())
    yard.world.started()
    with yard.world.sessions.begin() as session:
        session.get_one(Restore, made).sessions = {"at": yard.world.clock.now().isoformat(), "sessions": []}
    with pytest.raises(MovedMeanwhileError, match="works on shop-production"), yard.world.work("operator") as work:
        swap_database(work, restore_id=made, confirmation="shop-production", end_sessions=False)
