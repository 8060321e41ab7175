"""Where the evidence is: the addresses that ticks and refusals point to."""


def plan(plan_id: int, part: str = "", *, target_id: int | None = None) -> str:
    """The plan's page, or one of its parts (review, checklist, rehearsal, steps); for another target than its own where given."""
    query = "" if target_id is None else f"?target={target_id}"
    return f"/plans/{plan_id}/{part}{query}" if part else f"/plans/{plan_id}{query}"


def run(run_id: int) -> str:
    """The page of a run."""
    return f"/runs/{run_id}"


def target(target_id: int, part: str = "") -> str:
    """The page of a target, or one of its parts: backups, schema."""
    return f"/targets/{target_id}#{part}" if part else f"/targets/{target_id}"


def backup(backup_id: int) -> str:
    """The page of a backup."""
    return f"/backups/{backup_id}"
