"""What people hand in becomes a plan: files, an archive, pasted SQL, a plan file; refusals name the file and keep nothing."""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from app.actions.drafting import Draft, read_draft
from app.actions.import_plan import import_plan
from app.catalog.encoding import schema_to_json
from app.catalog.records import Column, Relation, Schema
from app.errors import HeadgateError, InvalidInputError
from app.plan.document import write_plan
from app.store import plans
from app.store.tables import Analysis, AuditLine, Job, Plan, SchemaSnapshot
from app.store.words import JobKind, PlanState
from tests.doubles.world import World, a_plan, age

UP = b"CREATE TABLE notes (id bigint PRIMARY KEY);\n"
DOWN = b"DROP TABLE notes;\n"
FILES = {"0001_notes.up.sql": UP, "0001_notes.down.sql": DOWN}


def read(world: World, **given) -> Draft:
    with world.sessions() as session:
        return read_draft(session, target_id=world.production.id, **given)


def keep(world: World, draft: Draft) -> Plan:
    with world.work("author") as work:
        return import_plan(work, project_id=world.project.id, target_id=world.production.id, draft=draft)


def test_a_folder_of_migrations_becomes_a_draft_that_is_analysed_at_once(world: World):
    draft = read(world, files=FILES)
    assert draft.imported.recognised == ("0001_notes.down.sql", "0001_notes.up.sql")
    plan = keep(world, draft)
    assert (plan.state, plan.author_id, plan.target_id) == (PlanState.DRAFT, world.people["author"].id, world.production.id)
    with world.sessions() as session:
        revision = plans.current(session, plan)
        analysis = session.query(Analysis).one()
        assert session.query(Job).filter_by(kind=JobKind.ANALYSE, subject_id=analysis.id).count() == 1
        assert session.query(AuditLine).filter_by(act="import_plan").one().details["digest"] == revision.digest
    assert (revision.number, analysis.revision_id, analysis.target_id) == (1, revision.id, world.production.id)
    (step,) = plans.content(revision).steps()
    assert "DROP TABLE notes" in step.rollback.sql


def test_an_archive_is_read_like_its_files(world: World):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    assert read(world, files={"migrations.zip": packed.getvalue()}).plan.phases == read(world, files=FILES).plan.phases


def test_pasted_sql_gets_the_way_back_that_was_pasted_with_it(world: World):
    draft = read(world, sql="DELETE FROM users WHERE id = 7;", down_sql="INSERT INTO users VALUES (7);", name="Forget seven")
    (step,) = draft.plan.steps()
    assert (draft.plan.name, draft.source_text) == ("Forget seven", "DELETE FROM users WHERE id = 7;")
    assert "INSERT INTO users VALUES (7)" in step.rollback.sql


@pytest.mark.parametrize(
    ("name", "plan", "titles"),
    [
        ("", "ALTER TABLE users, and 1 more", ["ALTER TABLE users", "CREATE INDEX users"]),
        ("Nicks", "Nicks", ["Nicks: ALTER TABLE users", "Nicks: CREATE INDEX users"]),
    ],
)
def test_pasted_sql_is_called_by_what_it_does_where_nobody_gave_it_a_name(world: World, name: str, plan: str, titles: list[str]):
    sql = "ALTER TABLE users ADD nick text;\nCREATE INDEX CONCURRENTLY nick ON users (nick);"
    draft = read(world, sql=sql, name=name)
    assert (draft.plan.name, [step.title for step in draft.plan.steps()]) == (plan, titles)


def test_a_refusal_for_want_of_a_way_back_stands_at_the_statement_that_has_none(world: World):
    with pytest.raises(HeadgateError, match="name the index") as refused:
        read(world, sql="ALTER TABLE users ADD nick text;\nCREATE INDEX ON users (nick);")
    assert (refused.value.file, refused.value.line) == ("pasted.up.sql", 2)


def test_a_way_back_is_derived_from_the_targets_last_known_schema(world: World):
    users = Relation(
        name="public.users",
        kind="table",
        columns=(Column(name="id", type="bigint", not_null=True), Column(name="note", type="text")),
    )
    with world.sessions.begin() as session:
        content = schema_to_json(Schema(relations={"public.users": users}))
        session.add(
            SchemaSnapshot(target_id=world.production.id, taken_at=world.clock.now(), fingerprint="f" * 64, content=content)
        )
    (step,) = read(world, sql="ALTER TABLE users ALTER COLUMN note SET NOT NULL;").plan.steps()
    assert "DROP NOT NULL" in step.rollback.sql


def test_a_plan_file_is_read_as_it_is(world: World):
    text = write_plan(a_plan())
    for draft in (read(world, plan_text=text), read(world, files={"plan.yaml": text.encode()})):
        assert draft.plan.digest() == a_plan().digest()
        assert (draft.imported, draft.source_text) == (None, text)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Give one of"),
        ({"sql": "SELECT 1", "plan_text": "name: x"}, "Give one of"),
        ({"sql": "SELEC 1"}, 'near "SELEC" pasted.up.sql 1 1'),
        ({"sql": "\\i other.sql\n"}, "\\i"),
        ({"files": {"0001.sql": b"\xff\xfe"}}, "0001.sql"),
        ({"files": {"readme.txt": b"hello"}}, "readme.txt"),
        ({"files": {"../../etc/passwd": b"x"}}, "../../etc/passwd"),
        ({"plan_text": "headgate: 1\nname: x\nsurprise: 1\nphases: []\n"}, "surprise"),
        ({"files": {"0001_drop.sql": b"DROP TABLE users;"}}, "0001_drop.sql"),
    ],
)
def test_what_can_not_be_read_is_refused_with_what_where_and_the_way_out(world: World, given: dict, words: str):
    with pytest.raises(HeadgateError) as refused:
        read(world, **given)
    said = " ".join(str(part) for part in refused.value.as_json().values())
    assert words in said
    assert refused.value.status in {400, 422}
    with world.sessions() as session:
        assert session.query(Plan).count() == 0


def test_a_target_of_another_project_is_refused_even_to_who_belongs_to_both(world: World):
    from app.actions.add_target import add_target
    from app.actions.create_environment import create_environment

    with world.work("headgate") as work:
        stage = create_environment(work, project_id=world.other_project.id, name="theirs")
        theirs = add_target(work, environment_id=stage.id, name="theirs", dsn="postgresql://db/theirs")
    with pytest.raises(InvalidInputError, match="another project"), world.work("admin") as work:
        import_plan(
            work, project_id=world.project.id, target_id=theirs.id, draft=Draft(plan=a_plan(), imported=None, source_text=None)
        )


def test_the_same_form_sent_twice_makes_one_plan_and_the_same_content_later_another(world: World):
    barrier = Barrier(2)

    def send(_: int) -> int:
        draft = read(world, files=FILES)
        barrier.wait(10)
        return keep(world, draft).id

    with ThreadPoolExecutor(2) as pool:
        assert len(made := set(pool.map(send, range(2)))) == 1
    age(world, minutes=2)
    assert keep(world, read(world, files=FILES)).id not in made
