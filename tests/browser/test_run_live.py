"""A run's page in a real browser: it follows without a reload, survives a broken stream, and keeps what a person typed and opened."""

import asyncio
import re
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from app.run.events import BatchCommitted, LockNotGranted, StepFinished
from app.run.states import RunState
from app.store.events import append_event, append_events
from app.store.tables import Run, RunGauge, RunStep
from app.web.live import Hub
from tests.browser.conftest import Served
from tests.doubles.waiting import until

PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
WIDE = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}


def a_run(served: Served, state: RunState = RunState.RUNNING) -> Run:
    run = served.site.world.started()
    at_gate = state is RunState.WAITING_GATE
    steps = {"add-note": "succeeded", "ask": "waiting"} if at_gate else {"add-note": "running"}
    served.site.world.driven(run, state, step="ask" if at_gate else "add-note", steps=steps)
    return run


def say(served: Served, run: Run, name: str) -> int:
    """One event, as a worker appends it; its number."""
    with served.site.world.sessions.begin() as session:
        return append_event(session, run.id, StepFinished(step=name, duration_ms=5.0))


def opened(served: Served, run: Run, who: str = "operator", **options: object) -> Page:
    page = served.page(who, **options)
    page.goto(f"/runs/{run.id}")
    expect(page.locator("#live")).to_have_text("Live")
    return page


def break_streams(served: Served) -> None:
    """End every open stream from the server's side, as a process that is replaced does."""
    hub: Hub = served.site.app.state.hub
    loops = [topic.pump.get_loop() for topic in hub._topics.values() if topic.pump]

    def pull() -> None:
        for task in asyncio.all_tasks(loops[0]):
            if "_send_all" in repr(task.get_coro()):
                task.cancel()
        done.set()

    done = threading.Event()
    loops[0].call_soon_threadsafe(pull)
    assert done.wait(5)


def test_an_event_appears_without_a_reload_and_the_page_was_loaded_once(served: Served):
    run = a_run(served)
    page = opened(served, run)
    number = say(served, run, "first-word")
    expect(page.locator(f"#event-{number}")).to_contain_text("first-word")
    served.site.world.driven(run, RunState.PAUSING)
    say(served, run, "second-word")
    expect(page.locator("#run-header .pill")).to_have_text("Pausing")
    assert page.evaluate("performance.getEntriesByType('navigation').length") == 1
    assert page.console_errors == []


def test_after_the_stream_breaks_it_resumes_and_no_line_stands_there_twice(served: Served):
    run = a_run(served)
    page = opened(served, run)
    first = say(served, run, "before")
    expect(page.locator(f"#event-{first}")).to_be_attached()
    break_streams(served)
    numbers = [say(served, run, f"meanwhile-{count}") for count in range(3)]
    for number in numbers:
        expect(page.locator(f"#event-{number}")).to_have_count(1, timeout=10_000)
    expect(page.locator("#live")).to_have_text("Live")
    last = say(served, run, "after")
    expect(page.locator(f"#event-{last}")).to_have_count(1)
    shown = page.locator("#run-log > li").evaluate_all("lines => lines.map((line) => line.id)")
    assert len(shown) == len(set(shown))


def test_a_proxy_that_answers_503_for_a_while_does_not_end_the_page(served: Served):
    run = a_run(served)
    page = served.page("operator")
    refused = []

    def gate(route: Route) -> None:
        if len(refused) < 2:
            refused.append(route.request.url)
            route.fulfill(status=503, body="away")
        else:
            route.continue_()

    page.route("**/stream?*", gate)
    page.goto(f"/runs/{run.id}")
    expect(page.locator("#live")).to_have_text("Live", timeout=10_000)
    number = say(served, run, "there-again")
    expect(page.locator(f"#event-{number}")).to_have_count(1)
    assert len(refused) == 2


def test_a_hidden_tab_lets_go_of_its_stream_and_takes_it_up_again(served: Served):
    run = a_run(served)
    page = opened(served, run)
    hub: Hub = served.site.app.state.hub
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(hide % "true")
    until(lambda: hub.watchers == 0)
    number = say(served, run, "unseen")
    page.evaluate(hide % "false")
    expect(page.locator(f"#event-{number}")).to_have_count(1, timeout=10_000)
    expect(page.locator("#live")).to_have_text("Live")


def test_what_a_person_types_and_opens_stays_while_the_page_moves_under_it(served: Served):
    run = a_run(served)
    page = opened(served, run)
    page.locator("#act-cancel > summary").click()
    page.locator("#act-cancel-field").fill("the wrong da")
    served.site.world.driven(run, RunState.RUNNING, step="index-note")
    with served.site.world.sessions.begin() as session:
        session.get_one(RunStep, (run.id, "add-note")).state = "succeeded"
    number = say(served, run, "moved")
    expect(page.locator(f"#event-{number}")).to_be_attached()
    expect(page.locator("#run-header")).to_contain_text("1 of 3 steps done")
    page.locator("#act-cancel-field").press("End")
    page.keyboard.type("y")
    expect(page.locator("#act-cancel-field")).to_have_value("the wrong day")
    expect(page.locator("#act-cancel")).to_have_attribute("open", "")


def test_the_gate_is_opened_where_it_stands_and_the_page_goes_on(served: Served):
    run = a_run(served, RunState.WAITING_GATE)
    page = opened(served, run)
    page.get_by_label("Note, kept with your name").fill("it is live")
    page.get_by_role("button", name="Confirm and go on").click()
    expect(page.locator("#run-header .pill")).to_have_text("Running")
    expect(page).to_have_title(re.compile("^Running · "))
    expect(page.locator("#run-gate")).to_have_count(0)
    assert served.site.world.run(run).state is RunState.RUNNING


def test_on_a_low_screen_the_way_back_is_reached_to_its_button(served: Served):
    run = a_run(served)
    served.site.world.driven(run, RunState.MONITORING, steps=dict.fromkeys(("add-note", "ask", "index-note"), "succeeded"))
    page = opened(served, run, viewport={"width": 1440, "height": 600})
    page.locator("#act-roll-back > summary").click()
    page.get_by_text("Only one step").click()
    page.get_by_label("Type the name").fill("shop-production")
    page.locator("#act-roll-back").get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("heading", name="Rollback of")).to_be_visible()


def test_the_log_is_filtered_by_keyboard(served: Served):
    run = a_run(served)
    with served.site.world.sessions.begin() as session:
        append_event(session, run.id, LockNotGranted(step="add-note", attempt=1, attempts=3, waited_ms=1.0, retry_in_ms=1.0))
    number = say(served, run, "work-itself")
    page = opened(served, run)
    expect(page.locator(f"#event-{number}")).to_be_visible()
    page.locator("#log-all").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"#event-{number}")).to_be_hidden()
    expect(page.locator(f"#event-{number - 1}")).to_be_visible()


def test_the_badge_says_that_a_run_is_over(served: Served):
    run = a_run(served)
    page = opened(served, run)
    served.site.world.driven(run, RunState.CANCELLED)
    say(served, run, "the-end")
    expect(page.locator("#live")).to_have_text("Ended")
    assert page.console_errors == []


@pytest.mark.parametrize("look", [pytest.param(WIDE, id="wide-light"), pytest.param(PHONE, id="phone-dark")])
@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.WAITING_GATE, RunState.FAILED, RunState.MONITORING])
def test_no_fault_of_accessibility_and_nothing_wider_than_the_screen(served: Served, look, state):
    run = a_run(served, state)
    with served.site.world.sessions.begin() as session:
        if state is RunState.MONITORING:
            session.get_one(Run, run.id).finished_at = served.site.world.clock.now()
        row = session.get_one(RunStep, (run.id, "add-note"))
        row.kind, row.started_at = "backfill", served.site.world.clock.now()
        batch = BatchCommitted(step="add-note", batches=2, rows_changed=900, batch_rows=450, batch_ms=4.0)
        append_events(session, run.id, (batch,) * 5, at=served.site.world.clock.now())
        signals = {"commit latency": {"value": 9.0, "limit": 5.0, "unit": "ms", "state": "slowing"}}
        payload = {"step": "add-note", "fraction": 0.4, "rows_done": 900, "rows_total": 2000, "signals": signals}
        session.add(RunGauge(run_id=run.id, at=served.site.world.clock.now(), payload=payload))
    paths = [f"/runs/{run.id}", f"/runs/{run.id}/monitoring", f"/runs/{run.id}/verification", f"/runs/{run.id}/events", "/runs"]
    page = served.page("operator", **look)
    for path in paths:
        page.goto(path)
        results = Axe().run(page)
        assert results.violations_count == 0, f"{path}: {results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    assert page.console_errors == []
