"""The certificate of a backfill on its run's page: the proof, the ranges, and the rows that were set aside."""

from html import unescape

from app.run.states import RunState
from app.store.tables import RunStep
from tests.web.site import Site

RESULT = {
    "rows_changed": 11_998,
    "rows_scanned": 12_000,
    "batches": 31,
    "seconds": 4.2,
    "quarantined": 2,
    "set_aside": [
        {
            "relation": "public.users",
            "key": {"id": "77"},
            "sqlstate": "22P02",
            "message": "invalid input: <script>alert(1)</script>",
        },
        {"relation": "public.users", "key": {"id": "90"}, "sqlstate": "P0001", "message": "not this one"},
    ],
    "certificate": {
        "proof": "one look at the whole table in one snapshot",
        "remaining_rows": 2,
        "ranges": [
            {"relation": "public.users", "from": 0, "to": 120, "rows_changed": 6000},
            {"relation": "public.users", "from": 120, "to": 240, "rows_changed": 5998},
        ],
        "gap_free": True,
        "disjoint": True,
        "sweeps": 1,
        "gone": ["public.users_2019"],
        "not_walked": [],
    },
}


def test_a_backfill_that_ended_shows_what_proves_it_and_which_rows_were_set_aside(site: Site):
    run = site.world.started()
    site.world.driven(run, RunState.PAUSED, step="add-note", steps={"add-note": "succeeded"})
    with site.world.sessions.begin() as session:
        session.get_one(RunStep, (run.id, "add-note")).result = RESULT
    page = site.browser("viewer").get(f"/runs/{run.id}").text
    assert "<script>alert" not in page
    text = unescape(page)
    for words in (
        "Certificate",
        "one look at the whole table in one snapshot",
        "2 rows set aside",
        "no gap, no overlap",
        "page 120",
        "public.users_2019",
        "id = 77",
        "22P02",
        "not this one",
    ):
        assert words in text, words


def test_a_run_without_backfills_has_none(site: Site):
    run = site.world.started()
    site.world.driven(run, RunState.PAUSED, step="add-note", steps={"add-note": "succeeded"})
    assert "Certificate" not in site.browser("viewer").get(f"/runs/{run.id}").text
