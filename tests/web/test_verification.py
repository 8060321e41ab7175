"""The page of a verification: failures first, each with what was seen and what was asked."""

import pytest

from app.run.states import RunState
from app.store.tables import Run
from app.store.tables.snapshots import Verification as VerificationRow
from app.store.words import VerificationState
from app.verification.report import Item, Verification
from tests.web.site import Site


def an_item(item_id: str, state: str, evidence: str = "seen") -> Item:
    return Item(
        id=item_id, title=f"About {item_id}", state=state, looked_at=f"SELECT '{item_id}'", evidence=(evidence,), duration_ms=3.0
    )


def verified(site: Site, *items: Item) -> Run:
    run = site.world.started()
    site.world.driven(run, RunState.MONITORING)
    report = Verification(items=items, fingerprint="a" * 64)
    with site.world.sessions.begin() as session:
        session.get_one(Run, run.id).finished_at = site.world.clock.now()
        kept = VerificationRow(
            run_id=run.id, state=VerificationState(report.state), report=report.as_json(), created_at=site.world.clock.now()
        )
        session.add(kept)
    return run


def test_before_a_verification_the_page_says_what_will_be_looked_at(site: Site):
    run = site.world.started()
    page = site.browser("viewer").get(f"/runs/{run.id}/verification")
    assert page.status_code == 200
    assert "Nothing was verified yet" in page.text


@pytest.mark.parametrize(
    ("states", "sentence"),
    [
        (("passed", "passed"), "The result is what was planned"),
        (("passed", "unknown"), "Not everything could be told"),
        (("unknown", "failed"), "The result is not what was planned"),
    ],
)
def test_the_verdict_comes_first(site: Site, states, sentence):
    run = verified(site, *(an_item(f"i{number}", state) for number, state in enumerate(states)))
    page = site.browser("viewer").get(f"/runs/{run.id}/verification").text
    assert f"<h2>{sentence}</h2>" in page


def test_what_failed_stands_above_what_passed_with_its_evidence_and_question(site: Site):
    run = verified(site, an_item("indexes", "passed"), an_item("check:roles", "failed", "returned 17 <rows>, expected 0"))
    page = site.browser("viewer").get(f"/runs/{run.id}/verification").text
    assert page.index("About check:roles") < page.index("About indexes")
    assert "Returned 17 &lt;rows&gt;, expected 0." in page
    assert "looked at, in 3.0 ms" in page
    assert "a" * 64 in page


def test_an_outsider_learns_nothing(site: Site):
    run = verified(site, an_item("indexes", "passed"))
    assert site.browser("outsider").get(f"/runs/{run.id}/verification").status_code in {403, 404}
