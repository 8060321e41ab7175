"""The supervisor's decisions: when it starts what ended again, and in which order it stops."""

import pytest

from app.embedded.supervisor import Supervisor, rest_before_restart


class Part:
    def __init__(self, name, diary):
        self.name, self.diary, self.running = name, diary, False

    def start(self):
        self.diary.append(f"start {self.name}")
        self.running = True

    def is_running(self):
        return self.running

    def ask_to_stop(self):
        self.diary.append(f"ask {self.name}")

    def stop(self):
        self.diary.append(f"stop {self.name}")
        self.running = False


@pytest.fixture
def diary():
    return []


@pytest.fixture
def supervisor(diary):
    return Supervisor(say=diary.append)


def test_rests_double_up_to_half_a_minute():
    assert [rest_before_restart(failures) for failures in (0, 1, 2, 6, 50)] == [0.5, 1.0, 2.0, 30.0, 30.0]


def test_all_are_asked_first_then_stopped_in_the_reverse_order(supervisor, diary):
    for name in ("postgres", "web"):
        supervisor.start(Part(name, diary))
    diary.clear()
    supervisor.stop()
    assert diary == ["ask web", "ask postgres", "stop web", "stop postgres"]


def test_what_ended_is_started_again_after_its_rest_and_not_before(supervisor, diary):
    part = Part("worker", diary)
    supervisor.start(part)
    part.running = False
    began = supervisor.parts[0].started_at
    supervisor.look(began + 1.0)
    assert diary[-1] == "worker ended; it is started again in 0.5 s."
    supervisor.look(began + 1.4)
    assert not part.running
    supervisor.look(began + 1.6)
    assert part.running


def test_a_part_that_ends_again_and_again_gets_longer_rests_and_a_healthy_one_starts_over(supervisor, diary):
    part = Part("worker", diary)
    supervisor.start(part)
    now = supervisor.parts[0].started_at
    for expected in ("0.5 s.", "1 s.", "2 s."):
        part.running = False
        supervisor.look(now)
        assert diary[-1].endswith(expected)
        now += 5.0
        supervisor.look(now)
    part.running = False
    supervisor.look(now + 61.0)
    assert diary[-1].endswith("0.5 s.")


def test_a_start_that_fails_is_said_and_tried_again(supervisor, diary):
    part = Part("web", diary)
    supervisor.start(part)
    now = supervisor.parts[0].started_at
    part.running = False
    original, part.start = part.start, lambda: (_ for _ in ()).throw(OSError("no more processes"))
    supervisor.look(now + 1)
    supervisor.look(now + 2)
    assert "no more processes" in diary[-1]
    part.start = original
    supervisor.look(now + 3)
    supervisor.look(now + 10)
    assert part.running
