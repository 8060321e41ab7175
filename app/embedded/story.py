"""The demo's story: what stands in the history when somebody opens it, and the whole journey played without a browser."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.contract import CONTRACT
from app.embedded import journey
from app.embedded.demo import PLAN_FILE, TRAFFIC_REPORT, SignIn
from app.embedded.people import Cast, is_cast, make_cast, sign_ins
from app.embedded.shop import ShopDatabase
from app.embedded.stack import Stack
from app.errors import HeadgateError

STAGING, PRODUCTION = "staging", "production"
RELEASE_PATIENCE_SECONDS, RELEASE_LOOK_SECONDS = 60.0, 0.2
VISITORS_PATIENCE_SECONDS = 20.0

_PACKED = (
    "Remember when an order was packed",
    "ALTER TABLE public.orders ADD COLUMN packed_at timestamptz;",
    "ALTER TABLE public.orders DROP COLUMN packed_at;",
)
_COUNTRY = (
    "Find users by country",
    "CREATE INDEX CONCURRENTLY users_country_idx ON public.users (country);",
    "DROP INDEX CONCURRENTLY public.users_country_idx;",
)
_DISCOUNT = (
    "Keep the discount of an order item",
    """
ALTER TABLE public.order_items ADD COLUMN discount_cents integer;
ALTER TABLE public.order_items ADD CONSTRAINT order_items_discount_check CHECK (discount_cents >= 0);
""".lstrip(),
    "ALTER TABLE public.order_items DROP COLUMN discount_cents;",
)


class StageFailedError(HeadgateError):
    """A stage of the story did not end as it should."""

    exit_code = 1


def seed(stack: Stack, shops: Sequence[ShopDatabase]) -> list[SignIn]:
    """Two finished plans, one with review comments, and "Add user roles" awaiting review; nothing where it is there already."""
    people = sign_ins(stack.folder)
    if is_cast(stack.address, stack.folder):
        return people
    stack.say("Making the people, the targets and the history.")
    cast = make_cast(stack.address, stack.folder, shops)
    for name, up, down in (_PACKED, _COUNTRY):
        plan = journey.import_sql(cast, name, up, down, environment=STAGING)["id"]
        _run_on_staging(cast, plan)
    wait_for_visitors(stack.folder.path / TRAFFIC_REPORT)
    _plan_under_discussion(cast)
    plan = journey.import_plan(cast, PLAN_FILE, environment=PRODUCTION)["id"]
    journey.analyse(cast, plan, environment=PRODUCTION)
    journey.rehearse(cast, plan, environment=PRODUCTION)
    cast["author"].post(f"/plans/{plan}/submit")
    return people


def _run_on_staging(cast: Cast, plan: int) -> dict[str, Any]:
    journey.analyse(cast, plan, environment=STAGING)
    cast["author"].post(f"/plans/{plan}/submit")
    journey.approve(cast, plan, environment=STAGING, roles=("approver",))
    journey.tick(cast, plan, environment=STAGING)
    run = journey.start(cast, plan, environment=STAGING)
    ended = journey.drive(cast, run)
    _require(ended["state"] == "monitoring", ended)
    return cast["operator"].post(f"/runs/{run}/close", {"text": "Nothing unusual was seen on staging."})


def _plan_under_discussion(cast: Cast) -> None:
    made = journey.import_sql(cast, *_DISCOUNT, environment=PRODUCTION)
    plan, digest = made["id"], made["digest"]
    journey.analyse(cast, plan, environment=PRODUCTION)
    cast["author"].post(f"/plans/{plan}/submit")
    step = cast["approver"].get(f"/plans/{plan}/document")["plan"].partition("- id: ")[2].partition("\n")[0].strip()
    remark = "This checks every order item while nobody can write. NOT VALID first, then VALIDATE in a step of its own?"
    cast["approver"].post(f"/plans/{plan}/comments", {"body": remark, "step_id": step, "line": 2})
    cast["author"].post(
        f"/plans/{plan}/comments", {"body": "Right, 1.5 million rows. I'll split it.", "step_id": step, "line": 2}
    )
    cast["approver"].post(f"/plans/{plan}/request-changes", {"digest": digest, "note": "Validate the CHECK separately."})


@dataclass(slots=True)
class _Report:
    """The stages so far; after the first one that failed the others are not tried."""

    say: Callable[[str], None]
    stages: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """One stage: fill its evidence; an error in it ends the story with the stage marked."""
        self.say(f"{name} ...")
        started, evidence = time.monotonic(), dict[str, Any]()
        stage = {"name": name, "ok": False, "seconds": 0.0, "evidence": evidence}
        self.stages.append(stage)
        try:
            yield evidence
            stage["ok"] = True
        finally:
            stage["seconds"] = round(time.monotonic() - started, 2)


def play(stack: Stack, shops: Sequence[ShopDatabase]) -> dict[str, Any]:
    """Play the whole journey through the web API, the broker and the worker processes, and report stage by stage."""
    report = _Report(stack.say)
    error = None
    try:
        _play(stack, shops, report)
    except HeadgateError as caught:
        error = caught.as_json()
        report.stages[-1]["evidence"]["error"] = error
    return {"contract": CONTRACT, "ok": error is None, "stages": report.stages, "error": error}


def _play(stack: Stack, shops: Sequence[ShopDatabase], report: _Report) -> None:
    with report.stage("set up") as evidence:
        cast = make_cast(stack.address, stack.folder, shops)
        evidence.update(targets=dict(cast.targets), people=len(cast.clients))
    plan = _prepare(cast, report)
    staged = _prove_on_staging(cast, plan, report)
    _arm(cast, plan, report)
    run = _run_phases(cast, plan, report, traffic=stack.folder.path / TRAFFIC_REPORT)
    _look_after(cast, run, report)
    with report.stage("roll back on staging") as evidence:
        name = next(shop.name for shop in shops if shop.environment == STAGING).replace("_", "-")
        back = journey.roll_back(cast, staged, target=name)
        _require(back["state"] == "completed", back)
        forward = cast["operator"].get(f"/runs/{staged}")
        _require(forward["state"] == "rolled_back", forward)
        evidence.update(run=back["id"], undone=sum(step["state"] == "rolled_back" for step in back["steps"]))


def _prepare(cast: Cast, report: _Report) -> int:
    """Import, analyse, rehearse, ask for a review."""
    with report.stage("import") as evidence:
        made = journey.import_plan(cast, PLAN_FILE, environment=PRODUCTION)
        plan: int = made["id"]
        evidence.update(plan=plan, digest=made["digest"])
    with report.stage("analyse") as evidence:
        judged = journey.analyse(cast, plan, environment=PRODUCTION)
        _require(judged["state"] == "done", judged)
        evidence.update(risk=judged["report"]["risk"], statements=len(judged["report"]["statements"]))
    with report.stage("rehearse") as evidence:
        seen = journey.rehearse(cast, plan, environment=PRODUCTION)
        _require(seen["ok"] is True, seen)
        result = seen["result"]
        evidence.update(schema_restored=result["rollback"]["schema_restored"], changes=len(result["schema"]["diff"]))
        journey.rehearse(cast, plan, environment=STAGING)
    with report.stage("review") as evidence:
        cast["author"].post(f"/plans/{plan}/submit")
        note = "What happens to accounts that sign up while the backfill runs?"
        cast["approver"].post(f"/plans/{plan}/comments", {"body": note, "step_id": "backfill-roles", "line": 1})
        evidence.update(state=journey.show(cast, plan, PRODUCTION)["state"])
    return plan


def _prove_on_staging(cast: Cast, plan: int, report: _Report) -> int:
    """The same revision runs on staging before it may run on production."""
    with report.stage("run on staging") as evidence:
        journey.analyse(cast, plan, environment=STAGING)
        journey.approve(cast, plan, environment=STAGING, roles=("approver",))
        journey.tick(cast, plan, environment=STAGING)
        staged = journey.start(cast, plan, environment=STAGING)
        ended = journey.drive(cast, staged)
        _require(ended["state"] == "monitoring", ended)
        evidence.update(run=staged, state=ended["state"])
    return staged


def _arm(cast: Cast, plan: int, report: _Report) -> None:
    """Approve, back up, tick: until nothing is missing."""
    with report.stage("approve") as evidence:
        evidence.update(journey.approve(cast, plan, environment=PRODUCTION, roles=("approver", "admin")))
    with report.stage("back up") as evidence:
        backup = journey.back_up(cast, environment=PRODUCTION)
        _require(backup["state"] == "done", backup)
        evidence.update(size_bytes=backup["size_bytes"], sha256=backup["sha256"], entries=backup["entries"])
    with report.stage("tick") as evidence:
        evidence.update(journey.tick(cast, plan, environment=PRODUCTION))
        ready = journey.show(cast, plan, PRODUCTION)
        _require(ready["ready"], ready)


def _look_after(cast: Cast, run: int, report: _Report) -> None:
    """The verification's report and the first figures."""
    with report.stage("verify") as evidence:
        verified = cast["operator"].get(f"/runs/{run}/verification")
        _require(verified["state"] in {"passed", "unknown"}, verified)
        evidence.update(state=verified["state"], sentence=verified["report"]["sentence"])
    with report.stage("monitor") as evidence:
        watched = cast["operator"].get(f"/runs/{run}/monitoring")
        windows = [snapshot["window"] for snapshot in watched["snapshots"]]
        _require("before" in windows and len(windows) > 1, watched)
        evidence.update(snapshots=windows)


def wait_for_visitors(traffic: Path) -> None:
    """Wait a little until the shop is visited, so that an analysis of production finds statements to speak of."""
    until = time.monotonic() + VISITORS_PATIENCE_SECONDS
    while time.monotonic() < until:
        if traffic.exists() and json.loads(traffic.read_text()).get("statements_per_second"):
            return
        time.sleep(RELEASE_LOOK_SECONDS)


def wait_for_release(traffic: Path) -> None:
    """Do what the gate asks: wait until the shop says in ``traffic`` that it writes the new column; no shop, nothing to wait for.

    Raises StageFailedError when it never does.
    """
    until = time.monotonic() + RELEASE_PATIENCE_SECONDS
    while traffic.exists() and not json.loads(traffic.read_text()).get("writes_role"):
        if time.monotonic() > until:
            raise StageFailedError("The shop's next release, which writes users.role, did not go live.", hint="See traffic.log.")
        time.sleep(RELEASE_LOOK_SECONDS)


def _run_phases(cast: Cast, plan: int, report: _Report, *, traffic: Path) -> int:
    """Run on production, one stage a part of the way: expand, gate, backfill, contract."""
    with report.stage("run: expand") as evidence:
        run = journey.start(cast, plan, environment=PRODUCTION)
        at_gate = cast["operator"].wait_for(
            f"/runs/{run}", lambda seen: seen["state"] in {"waiting_gate", "failed"}, seconds=60, what="The gate"
        )
        _require(at_gate["state"] == "waiting_gate", at_gate)
        evidence.update(run=run, done=_succeeded(at_gate))
    with report.stage("run: gate") as evidence:
        wait_for_release(traffic)
        body = {"step": at_gate["current_step"], "text": "Release 2.31 writes roles."}
        evidence.update(cast["operator"].post(f"/runs/{run}/open-gate", body))
    with report.stage("run: backfill") as evidence:
        filled = journey.wait_for_run(
            cast, run, lambda seen: _state_of(seen, "backfill-roles") in {"succeeded", "failed"} or seen["state"] == "failed"
        )
        _require(_state_of(filled, "backfill-roles") == "succeeded", filled)
        events = cast["operator"].get(f"/runs/{run}/events")["events"]
        # a worker killed between its last batch and its word leaves the figures in the step's result only
        finished: dict[str, Any] = next((event for event in events if event["type"] == "backfill_finished"), {})
        evidence.update({name: finished.get(name) for name in ("rows_changed", "batches", "seconds")})
    with report.stage("run: contract") as evidence:
        ended = journey.drive(cast, run)
        _require(ended["state"] == "monitoring", ended)
        evidence.update(done=_succeeded(ended), state=ended["state"])
    return run


def _state_of(seen: dict[str, Any], step: str) -> str:
    return next(str(found["state"]) for found in seen["steps"] if found["id"] == step)


def _succeeded(seen: dict[str, Any]) -> int:
    return sum(step["state"] == "succeeded" for step in seen["steps"])


def _require(holds: bool, seen: dict[str, Any]) -> None:
    if not holds:
        error = seen.get("error") or {}
        raise StageFailedError(
            f"It ended as {seen.get('state')}: {seen.get('reason') or error.get('message') or seen.get('missing') or ''}"
        )
