import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from app.engine.order import Finished, StepFailed, StopReached
from app.run import events
from app.steps.errors import HookFailedError
from app.steps.hook import shown_url
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order, one_slice


class Receiver(BaseHTTPRequestHandler):
    calls: ClassVar[list] = []
    may_answer: ClassVar[threading.Event] = threading.Event()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.calls.append((self.path, self.headers.get("idempotency-key"), json.loads(body or "null")))
        if self.path == "/slow":
            self.may_answer.wait(20)
        self.send_response(302 if self.path == "/redirect" else 500 if self.path == "/broken" else 200)
        self.send_header("location", "file:///etc/hostname")
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"said")

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    Receiver.calls.clear()
    Receiver.may_answer.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://user:hunter2@127.0.0.1:{server.server_address[1]}"
    Receiver.may_answer.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_another_system_is_told_with_a_key_that_tells_repeats(database, receiver):
    diary = Diary()
    order = an_order(database, a_step("h", "hook", url=f"{receiver}/deploy?token=hunter2", body={"flag": True}))
    assert isinstance(one_slice(order, diary), Finished)
    assert Receiver.calls == [("/deploy?token=hunter2", f"{order.key}/h", {"flag": True})]
    (called,) = diary.of(events.HookCalled)
    assert called.status == 200
    assert "hunter2" not in called.url


@pytest.mark.parametrize(("path", "status"), [("broken", "500"), ("redirect", "302")])
def test_another_answer_than_the_expected_one_fails_the_step(database, receiver, path, status):
    result = one_slice(an_order(database, a_step("h", "hook", url=f"{receiver}/{path}")))
    assert isinstance(result, StepFailed)
    assert isinstance(result.error, HookFailedError)
    assert status in result.error.message
    assert "said" in result.error.message
    assert "hunter2" not in result.error.message


def test_an_expected_status_may_be_any(database, receiver):
    assert isinstance(one_slice(an_order(database, a_step("h", "hook", url=f"{receiver}/broken", expect_status=500))), Finished)


@pytest.mark.parametrize(
    "url", ["http://user:hunter2@127.0.0.1:1/x", "file:///etc/hostname", "ftp://127.0.0.1/x", "http://[broken"]
)
def test_an_address_that_does_not_answer_or_is_none_fails_the_step(database, url):
    result = one_slice(an_order(database, a_step("h", "hook", url=url)))
    assert isinstance(result, StepFailed)
    assert "hunter2" not in str(result.error.as_json())


def test_the_shown_address_has_no_secrets():
    assert shown_url("https://user:pw@example.com:8443/a/b?token=x#y") == "https://example.com:8443/a/b"


def test_an_ask_is_heard_while_the_other_system_thinks_and_a_resume_calls_again_with_the_same_key(database, receiver):
    diary = Diary()
    order = an_order(database, a_step("h", "hook", url=f"{receiver}/slow"))

    def ask_once_it_was_called():
        diary.ask = "pause" if Receiver.calls else None

    diary.on_beat = ask_once_it_was_called
    result = one_slice(order, diary, seconds=0.0)
    assert isinstance(result, StopReached), "the end of the slice does not end the call, the ask does"
    assert not diary.of(events.HookCalled)
    diary.ask, diary.on_beat = None, lambda: None
    Receiver.may_answer.set()
    assert isinstance(one_slice(replace(order, fence=2), diary), Finished)
    assert [key for _, key, _ in Receiver.calls] == [f"{order.key}/h"] * 2
