"""A plan of every origin and with every kind of step, from the import to the monitored run, by real processes."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tests.journey.theatre import plan_file, sessions_of_ours, sql_step, steps_of


class Receiver(BaseHTTPRequestHandler):
    """The other system that a hook tells."""

    calls: ClassVar[list[tuple]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.calls.append((self.path, self.headers.get("idempotency-key"), json.loads(body)))
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.calls.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/deploy"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_folder_of_plain_sql_pairs_goes_forward_and_back(theatre, database):
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 50)")
    target = theatre.target(database.dsn)
    files = {
        "001_note.up.sql": "ALTER TABLE public.users ADD COLUMN note text;",
        "001_note.down.sql": "ALTER TABLE public.users DROP COLUMN note;",
        "002_note_index.up.sql": "CREATE INDEX CONCURRENTLY users_note ON public.users (note);",
        "002_note_index.down.sql": "DROP INDEX CONCURRENTLY public.users_note;",
    }
    run = theatre.start(theatre.plan(target, files=files))
    ended = theatre.until_run(run, "monitoring")
    assert set(steps_of(ended).values()) == {"succeeded"}
    assert database.value("SELECT count(*) FROM pg_index WHERE indexrelid = 'users_note'::regclass AND indisvalid") == 1
    back = theatre.roll_back(run, target)
    assert back["state"] == "completed"
    assert theatre.run(run)["state"] == "rolled_back"
    assert database.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped"
    ) == [("id",)]
    assert sessions_of_ours(database) == []


def test_a_prisma_folder_is_run_beside_prismas_own_history(theatre, database):
    database.execute("""
        CREATE TABLE "User" (id integer PRIMARY KEY);
        CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
            migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
            started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)
    """)
    target = theatre.target(database.dsn)
    files = {
        "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
        "prisma/migrations/20260101120000_add_role/migration.sql": 'ALTER TABLE "User" ADD COLUMN "role" TEXT;\n',
        "prisma/migrations/20260102120000_index/migration.sql": 'CREATE INDEX "User_role_idx" ON "User"("role");\n',
    }
    plan = theatre.plan(target, files=files)
    ended = theatre.until_run(theatre.start(plan), "monitoring")
    assert set(steps_of(ended).values()) == {"succeeded"}
    assert database.value("SELECT count(*) FROM pg_attribute WHERE attrelid = '\"User\"'::regclass AND attname = 'role'") == 1


def test_a_plan_file_with_every_kind_of_step_is_run(theatre, database, receiver):
    database.execute("""
        CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, role text);
        INSERT INTO users SELECT n, 'u' || n FROM generate_series(1, 400) AS n
    """)
    target = theatre.target(database.dsn)
    plan = theatre.plan(
        target,
        plan=plan_file(
            "id: dump\nkind: backup",
            sql_step("note", "ALTER TABLE public.users ADD COLUMN note text", "ALTER TABLE public.users DROP COLUMN note"),
            "id: ask\nkind: gate\nask: The release is live",
            "id: fill\nkind: backfill\ntable: public.users\nset: role = 'user'\nwhere: role IS NULL\n"
            "rollback: {sql: UPDATE public.users SET role = NULL, grade: lossless}",
            "id: filled\nkind: check\nquery: SELECT count(*) FROM public.users WHERE role IS NULL\nexpect: 0",
            "id: refused\nkind: check\nstatement: INSERT INTO public.users (id, email) VALUES (1, 'again')\nrefused_with: '23505'",
            f"id: deploy\nkind: hook\nurl: {receiver}\nbody: {{release: '2.31'}}\nexpect_status: 202",
            "id: settle\nkind: wait\nseconds: 1",
            sql_step(
                "idx", "CREATE INDEX CONCURRENTLY users_role ON public.users (role)", "DROP INDEX CONCURRENTLY public.users_role"
            ),
        ),
    )
    run = theatre.start(plan)
    at_gate = theatre.until_run(run, "waiting_gate")
    assert at_gate["current_step"] == "ask"
    assert database.value("SELECT count(*) FROM users WHERE role IS NULL") == 400
    theatre.press(run, "open-gate", step="ask", text="Release 2.31 is live.")
    ended = theatre.until_run(run, "monitoring")
    assert set(steps_of(ended).values()) == {"succeeded"}
    assert database.rows("SELECT role, count(*) FROM users GROUP BY role") == [("user", 400)]
    key = theatre.run(run)["key"]
    assert Receiver.calls == [("/deploy", f"{key}/deploy", {"release": "2.31"})]
    told = theatre.events(run)
    assert [event["number"] for event in told] == list(range(1, len(told) + 1))
    assert next(event for event in told if event["type"] == "backup_finished")["size_bytes"] > 0
    assert next(event for event in told if event["type"] == "gate_opened")["note"] == "Release 2.31 is live."
    back = theatre.roll_back(run, target)
    assert back["state"] == "completed"
    assert database.rows("SELECT role, count(*) FROM users GROUP BY role") == [(None, 400)]
    assert database.value("SELECT count(*) FROM pg_class WHERE relname = 'users_role'") == 0
    assert sessions_of_ours(database) == []


def test_a_hook_that_is_answered_otherwise_fails_its_step_with_what_was_said(theatre, database, receiver):
    target = theatre.target(database.dsn)
    plan = theatre.plan(target, plan=plan_file(f"id: deploy\nkind: hook\nurl: {receiver}\nexpect_status: 200"))
    ended = theatre.until_run(theatre.start(plan), "failed")
    assert steps_of(ended) == {"deploy": "failed"}
    assert "answered 202, the plan expects 200" in ended["reason"]
