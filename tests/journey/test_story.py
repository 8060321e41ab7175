"""The story of the demo from the import to the rollback, through the web API, the broker and the worker process."""

from app.embedded import story


def test_the_whole_story_is_played_from_the_import_to_the_rollback(theatre, monkeypatch):
    # the people are there already: the other journeys share them
    monkeypatch.setattr(story, "make_cast", lambda *_: theatre.cast)
    report = story.play(theatre.stack, theatre.shops)
    assert report["error"] is None
    assert report["ok"] is True
    assert [stage["name"] for stage in report["stages"]] == [
        *("set up", "import", "analyse", "rehearse", "review", "run on staging", "approve", "back up", "tick"),
        *("run: expand", "run: gate", "run: backfill", "run: contract", "verify", "monitor", "roll back on staging"),
    ]
    evidence = {stage["name"]: stage["evidence"] for stage in report["stages"]}
    assert evidence["rehearse"]["schema_restored"] is True
    assert evidence["run: backfill"]["rows_changed"] == theatre.shops[1].size.users
