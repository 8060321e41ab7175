"""Kind `hook`: tell another system, and go on when it answers as expected; at least once, with a key that tells repeats."""

from concurrent.futures import wait
from functools import partial
from urllib.parse import urlsplit

import httpx2

from app.background import in_background
from app.plan.model import Step
from app.run.events import Gauge, HookCalled
from app.steps.errors import HookFailedError, StepRefusedError
from app.steps.protocol import Done, StepContext, StepRun

TIMEOUT_MS = 10_000
_SHOWN_CHARACTERS = 500
_LOOK_SECONDS = 0.25


class Hook:
    """Calls an address outside."""

    name = "hook"
    #: left in the middle only where somebody asks to stop: the other system would be told again
    is_one_unit = True

    def describe(self, step: Step) -> str:
        """One plain sentence."""
        return f"Calls {step.spec.get('method', 'POST')} {shown_url(step.spec['url'])}"

    def run(self, context: StepContext) -> StepRun:
        """Call once; any other status than the expected one is a failed step."""
        spec, step = context.step.spec, context.step
        url, expected = str(spec["url"]), int(spec.get("expect_status", 200))
        if not _is_web_address(url):
            raise StepRefusedError("A hook calls an address that begins with https:// or http://.", hint="Write such an address.")
        started = context.clock.monotonic()
        answer = in_background(partial(_call, context, url), name="hook")
        while not wait([answer], timeout=_LOOK_SECONDS).done:
            yield Gauge(step=step.id, phase=f"waits for {shown_url(url)}", source="no estimate: the other system decides")
        try:
            response = answer.result()
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise HookFailedError(
                f"{shown_url(url)} did not answer ({type(error).__name__}).",
                hint="Check the address and the other system, then try the step again; it may have heard the call.",
            ) from None
        if response.status_code != expected:
            raise HookFailedError(
                f"{shown_url(url)} answered {response.status_code}, the plan expects {expected}: "
                f"{response.text[:_SHOWN_CHARACTERS]}",
                hint="Look at the other system's log, then try the step again.",
            )
        took = (context.clock.monotonic() - started) * 1000
        yield HookCalled(step=step.id, url=shown_url(url), status=response.status_code, duration_ms=took)
        return Done(result={"status": response.status_code})


def _call(context: StepContext, url: str) -> httpx2.Response:
    spec, step = context.step.spec, context.step
    body = spec.get("body")
    return httpx2.request(
        str(spec.get("method", "POST")),
        url,
        json=body if body is not None else {"run": context.run_number, "step": step.id},
        headers={"Idempotency-Key": f"{context.run}/{step.id}"},
        timeout=int(spec.get("timeout_ms") or TIMEOUT_MS) / 1000,
        # a redirect could lead anywhere: the plan names the address that was reviewed
        follow_redirects=False,
    )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def shown_url(url: str) -> str:
    """The address without user, password and query, which may hold secrets."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
