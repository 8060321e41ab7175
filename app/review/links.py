"""Where the evidence is: the addresses that ticks and refusals point to."""


def plan(plan_id: int, part: str = "") -> str:
    """The plan's page, or one of its parts: review, checklist, rehearsal, steps."""
    return f"/plans/{plan_id}/{part}" if part else f"/plans/{plan_id}"


def run(run_id: int) -> str:
    """The page of a run."""
    return f"/runs/{run_id}"


def target(target_id: int) -> str:
    """The page of a target."""
    return f"/targets/{target_id}"


def backup(backup_id: int) -> str:
    """The page of a backup."""
    return f"/backups/{backup_id}"
