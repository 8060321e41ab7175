"""People: the first account, sign-ins that end, roles, passwords, tokens."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app.actions.change_role import change_role
from app.actions.create_first_admin import create_first_admin
from app.actions.deactivate_person import deactivate_person
from app.actions.end_sign_ins import end_sign_ins
from app.actions.invite_person import invite_person
from app.actions.issue_token import issue_token, revoke_token
from app.actions.permissions import Permission
from app.actions.set_password import set_password
from app.actions.sign_in import SignInRefusedError, actor_of_sign_in, actor_of_token, sign_in
from app.actions.sign_out import sign_out
from app.actions.work import Actor, Work, nobody
from app.errors import InvalidInputError, MovedMeanwhileError, NotAllowedError, NotFoundError
from app.review.roles import Role
from app.store import people, sign_ins
from app.store.sessions import make_engine, make_sessions
from app.store.tables import AuditLine, Person, SignIn
from tests.doubles.world import World, age

PASSWORD = "a gate opens slowly"


@pytest.fixture
def guest(world: World) -> Person:
    """Somebody with a password."""
    with world.work("project_admin") as work:
        return invite_person(
            work, project_id=world.project.id, email="Guest@Shop.test", name="Guest", role="author", password=PASSWORD
        ).person


def come_in(world: World, email: str = "guest@shop.test", password: str = PASSWORD) -> str:
    with world.sessions() as session:
        work = Work(session=session, actor=nobody(address="127.0.0.1"), clock=world.clock, settings=world.settings)
        made = sign_in(work, email=email, password=password, user_agent="Firefox")
        session.commit()
        return made.token


def who(world: World, token: str) -> Actor:
    with world.sessions() as session:
        actor = actor_of_sign_in(session, token, settings=world.settings, now=world.clock.now())
        session.commit()
        return actor


def test_whoever_signs_in_is_known_by_the_token_with_present_rights(world: World, guest: Person):
    token = come_in(world, "  GUEST@shop.test ")
    assert (who(world, token).person_id, who(world, token).roles) == (guest.id, {world.project.id: Role.AUTHOR})
    with world.work("project_admin") as work:
        change_role(work, project_id=world.project.id, person_id=guest.id, role="operator")
    assert who(world, token).roles == {world.project.id: Role.OPERATOR}


def test_the_database_holds_no_token_that_could_be_used(world: World, guest: Person):
    token = come_in(world)
    with world.sessions() as session:
        row = session.query(SignIn).one()
    assert token.encode() not in row.token_sha256
    assert len(token) >= 43, "256 bits"


@pytest.mark.parametrize(
    ("email", "password"),
    [("guest@shop.test", "wrong password"), ("no@body.test", PASSWORD), ("viewer@shop.test", PASSWORD), ("guest@shop.test", "")],
)
def test_a_refusal_is_the_same_whatever_was_wrong_and_is_audited(world: World, guest: Person, email: str, password: str):
    with pytest.raises(SignInRefusedError) as refused:
        come_in(world, email, password)
    assert refused.value.message == "The address or the password is wrong."
    assert refused.value.status == 401
    with world.sessions() as session:
        line = session.query(AuditLine).filter_by(act="sign_in_refused").one()
    assert line.details == {"email": email if email != "no@body.test" else None}


def test_an_endless_password_is_no_endless_work(world: World, guest: Person):
    with pytest.raises(SignInRefusedError):
        come_in(world, password="x" * 10_000_000)


def test_an_idle_sign_in_ends(world: World, guest: Person):
    token = come_in(world)
    age(world, minutes=479)
    assert who(world, token).person_id == guest.id
    age(world, minutes=479)
    assert who(world, token).person_id == guest.id, "the visit before began the idle time anew"
    age(world, minutes=480)
    assert who(world, token).person_id == 0


def test_a_busy_sign_in_ends_after_a_week(world: World, guest: Person):
    token = come_in(world)
    for _ in range(24):
        age(world, hours=7)
        last = who(world, token).person_id
    assert last == 0


def test_signing_out_ends_it_here_and_nowhere_else(world: World, guest: Person):
    here, there = come_in(world), come_in(world)
    with world.sessions() as session:
        actor = actor_of_sign_in(session, here, settings=world.settings, now=world.clock.now())
        sign_out(Work(session=session, actor=actor, clock=world.clock, settings=world.settings))
        session.commit()
    assert (who(world, here).person_id, who(world, there).person_id) == (0, guest.id)


def test_a_persons_sign_ins_can_be_ended_by_themselves_and_by_an_administrator(world: World, guest: Person):
    tokens = [come_in(world) for _ in range(3)]
    with world.sessions() as session:
        own = actor_of_sign_in(session, tokens[0], settings=world.settings, now=world.clock.now())
        work = Work(session=session, actor=own, clock=world.clock, settings=world.settings)
        assert end_sign_ins(work, person_id=guest.id) == 2, "this one stays"
        session.commit()
    with pytest.raises(NotAllowedError), world.work("project_admin") as work:
        end_sign_ins(work, person_id=guest.id)
    with world.work("admin") as work:
        assert end_sign_ins(work, person_id=guest.id) == 1
    assert [who(world, token).person_id for token in tokens] == [0, 0, 0]


def test_nobody_ends_a_sign_in_by_guessing_its_number(world: World, guest: Person):
    come_in(world)
    with world.sessions() as session:
        number = session.query(SignIn).one().id
    with pytest.raises(NotFoundError), world.work("viewer") as work:
        end_sign_ins(work, person_id=world.people["viewer"].id, sign_in_id=number)


def test_a_closed_account_is_out_at_once(world: World, guest: Person):
    token = come_in(world)
    with world.work("admin") as work:
        deactivate_person(work, person_id=guest.id)
    assert who(world, token).person_id == 0
    with pytest.raises(SignInRefusedError):
        come_in(world)
    with world.work("admin") as work:
        deactivate_person(work, person_id=guest.id, active=True)
    assert who(world, token).person_id == 0, "opening it again does not bring the old sign-in back"
    assert who(world, come_in(world)).person_id == guest.id


def test_an_administrator_does_not_close_their_own_account(world: World):
    with pytest.raises(NotAllowedError), world.work("admin") as work:
        deactivate_person(work, person_id=world.people["admin"].id)


def test_a_new_password_ends_the_other_sign_ins(world: World, guest: Person):
    here, there = come_in(world), come_in(world)
    with world.sessions() as session:
        actor = actor_of_sign_in(session, here, settings=world.settings, now=world.clock.now())
        work = Work(session=session, actor=actor, clock=world.clock, settings=world.settings)
        with pytest.raises(InvalidInputError, match="present password"):
            set_password(work, person_id=guest.id, new="another long one", present="no")
        set_password(work, person_id=guest.id, new="another long one", present=PASSWORD)
        session.commit()
    assert (who(world, here).person_id, who(world, there).person_id) == (guest.id, 0)
    come_in(world, password="another long one")


@pytest.mark.parametrize("password", ["short", "x" * 2000])
def test_a_password_that_is_too_short_or_absurd_is_refused(world: World, password: str):
    with pytest.raises(InvalidInputError) as refused, world.work("project_admin") as work:
        invite_person(work, project_id=world.project.id, email="new@shop.test", role="viewer", password=password)
    assert set(refused.value.fields) == {"password"}


def test_an_invited_persons_password_is_shown_once_and_works(world: World):
    with world.work("project_admin") as work:
        invited = invite_person(work, project_id=world.project.id, email="new@shop.test", role="viewer")
    assert invited.password not in repr(invited)
    assert who(world, come_in(world, "new@shop.test", invited.password)).name == "new"
    with world.work("project_admin") as work:
        again = invite_person(work, project_id=world.project.id, email="NEW@shop.test", role="author")
    assert (again.person.id, again.password) == (invited.person.id, None), (
        "a second invitation is another role, no second account"
    )


@pytest.mark.parametrize(("email", "role"), [("nonsense", "viewer"), ("new@shop.test", "king"), ("", "viewer")])
def test_an_invitation_that_makes_no_sense_is_refused_by_field(world: World, email: str, role: str):
    with pytest.raises(InvalidInputError), world.work("project_admin") as work:
        invite_person(work, project_id=world.project.id, email=email, role=role)


def test_a_project_does_not_lose_its_admin_by_accident(world: World):
    with pytest.raises(NotAllowedError, match="own role"), world.work("project_admin") as work:
        change_role(work, project_id=world.project.id, person_id=world.people["project_admin"].id, role=None)


def test_who_is_taken_out_of_a_project_sees_nothing_of_it(world: World):
    with world.work("project_admin") as work:
        change_role(work, project_id=world.project.id, person_id=world.people["viewer"].id, role=None)
    with world.sessions() as session:
        assert world.actor("viewer", session).role_in(world.project.id) is None
        assert world.people["viewer"].id not in {member.person.id for member in people.members(session, world.project.id)}
    with pytest.raises(NotFoundError), world.work("project_admin") as work:
        change_role(work, project_id=world.project.id, person_id=world.people["viewer"].id, role="author")


def test_the_first_account_is_made_once_even_by_two_at_once(metadata, clock, world: World):
    with world.sessions() as session:
        assert people.is_anybody_there(session)
    with pytest.raises(MovedMeanwhileError, match="first account"), world.work("headgate") as work:
        create_first_admin(work, email="me@shop.test", name="Me", password=PASSWORD)


def test_two_strangers_race_for_the_first_account_and_one_gets_it(metadata, clock):
    from app.settings import Settings

    engine = make_engine(metadata.dsn)
    sessions, barrier = make_sessions(engine), Barrier(2)

    def come(name: str) -> bool:
        barrier.wait(10)
        with sessions() as session:
            work = Work(session=session, actor=nobody(), clock=clock, settings=Settings())
            try:
                create_first_admin(work, email=f"{name}@shop.test", name=name, password=PASSWORD)
            except MovedMeanwhileError:
                return False
            session.commit()
            return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(come, ["ann", "bob"])) == [False, True]
    with sessions() as session:
        assert session.query(Person).one().is_admin
    engine.dispose()


def test_a_token_acts_for_its_person_within_its_scopes_until_it_is_taken_back(world: World):
    with world.work("operator") as work:
        issued = issue_token(work, person_id=world.people["operator"].id, name="ci", scopes=["START_RUN"])
    assert issued.text.startswith("headgate_")
    assert issued.text not in repr(issued)
    with world.sessions() as session:
        actor = actor_of_token(session, issued.text, now=world.clock.now())
    assert (actor.person_id, actor.name) == (world.people["operator"].id, "Operator (ci)")
    assert actor.may(world.project.id, Permission.START_RUN)
    assert not actor.may(world.project.id, Permission.ROLL_BACK)
    with pytest.raises(NotFoundError), world.work("author") as work:
        revoke_token(work, token_id=issued.row.id)
    for _ in range(2):
        with world.work("operator") as work:
            revoke_token(work, token_id=issued.row.id)
    with world.sessions() as session:
        assert actor_of_token(session, issued.text, now=world.clock.now()).person_id == 0
        assert actor_of_token(session, "headgate_nonsense", now=world.clock.now()).person_id == 0


def test_a_token_that_ran_out_is_nobodys(world: World):
    end = world.clock.now() + timedelta(hours=1)
    with world.work("operator") as work:
        issued = issue_token(work, person_id=world.people["operator"].id, name="ci", ends_at=end)
    age(world, hours=1)
    with world.sessions() as session:
        assert sign_ins.find_token(session, issued.text, now=world.clock.now()) is None


def test_a_token_makes_no_tokens_and_nobody_makes_them_for_others(world: World):
    with pytest.raises(NotAllowedError), world.work("operator", scopes=frozenset(Permission)) as work:
        issue_token(work, person_id=world.people["operator"].id, name="more")
    with pytest.raises(NotAllowedError), world.work("operator") as work:
        issue_token(work, person_id=world.people["admin"].id, name="more")
    with pytest.raises(InvalidInputError, match="FLY"), world.work("operator") as work:
        issue_token(work, person_id=world.people["operator"].id, name="more", scopes=["FLY"])
