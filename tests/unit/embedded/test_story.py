"""The demo waits for its shop: for visitors before plans are made, and at the gate until what it asks is true."""

import json
import threading

import pytest

from app.embedded import story


def test_the_gate_waits_until_the_shop_writes_the_new_column(tmp_path):
    traffic = tmp_path / "traffic.json"
    traffic.write_text(json.dumps({"writes_role": False}))
    came_back = threading.Event()

    def wait() -> None:
        story.wait_for_release(traffic)
        came_back.set()

    threading.Thread(target=wait, daemon=True).start()
    assert not came_back.wait(3 * story.RELEASE_LOOK_SECONDS)
    draft = tmp_path / "draft"
    draft.write_text(json.dumps({"writes_role": True}))
    draft.replace(traffic)
    assert came_back.wait(10)


def test_a_release_that_never_goes_live_fails_the_stage(tmp_path, monkeypatch):
    monkeypatch.setattr(story, "RELEASE_PATIENCE_SECONDS", 0.0)
    traffic = tmp_path / "traffic.json"
    traffic.write_text("{}")
    with pytest.raises(story.StageFailedError, match="did not go live"):
        story.wait_for_release(traffic)


def test_plans_for_production_are_made_once_somebody_visits_the_shop(tmp_path, monkeypatch):
    monkeypatch.setattr(story, "VISITORS_PATIENCE_SECONDS", 10.0)
    traffic = tmp_path / "traffic.json"
    traffic.write_text(json.dumps({"statements_per_second": 0.0}))
    came_back = threading.Event()

    def wait() -> None:
        story.wait_for_visitors(traffic)
        came_back.set()

    threading.Thread(target=wait, daemon=True).start()
    assert not came_back.wait(2 * story.RELEASE_LOOK_SECONDS)
    draft = tmp_path / "draft"
    draft.write_text(json.dumps({"statements_per_second": 4.2}))
    draft.replace(traffic)
    assert came_back.wait(5)


def test_without_an_application_there_is_nothing_to_wait_for(tmp_path):
    story.wait_for_release(tmp_path / "traffic.json")
