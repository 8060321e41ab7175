"""The steps of a recipe while they are written down: kinds, rollbacks and their grades in one line each."""

from app.plan.kinds import check_spec
from app.plan.model import AcceptedRisk, Grade, PhaseName, Rollback, Step

#: a step with the phase that it belongs to; ids are unique within the recipe, rollbacks are graded
Placed = tuple[PhaseName, Step]
#: counting the violators of a rule on a large table takes its time; it holds no lock that anybody waits for
COUNT_MS = 3_600_000


class Draft:
    """Collects placed steps; every spec is one that a plan may hold."""

    def __init__(self) -> None:
        self._steps: list[Placed] = []
        self._answered: list[AcceptedRisk] = []

    def done(self) -> tuple[Placed, ...]:
        """What was collected."""
        return tuple(self._steps)

    def answered(self) -> tuple[AcceptedRisk, ...]:
        """Findings about the recipe's own steps that the recipe answers, with the reason that reviewers read."""
        return tuple(self._answered)

    def answer(self, step_id: str, reason: str, *rules: str) -> None:
        """What these rules find in a step does not apply here, and why."""
        self._answered += [AcceptedRisk(rule=rule, reason=reason, step=step_id) for rule in rules]

    def sql(
        self,
        phase: PhaseName,
        step_id: str,
        title: str,
        *statements: str,
        undo: tuple[str, ...] = (),
        grade: Grade = "lossless",
        reason: str = "",
    ) -> None:
        """Statements that share a transaction where they can; ``undo`` runs in the order given."""
        rollback = Rollback(grade=grade, sql=script(*undo) if undo else None, reason=reason, origin="derived")
        self._add(phase, Step(id=step_id, kind="sql", title=title, spec={"sql": script(*statements)}, rollback=rollback))

    def backfill(self, phase: PhaseName, step_id: str, title: str, *, table: str, assign: str, where: str, reason: str) -> None:
        """Rows in small batches; ``reason`` says why nothing has to be done to undo it."""
        spec = {"table": table, "set": assign, "where": where}
        self._add(
            phase,
            Step(
                id=step_id,
                kind="backfill",
                title=title,
                spec=spec,
                rollback=Rollback(grade="lossless", reason=reason, origin="derived"),
            ),
        )

    def nothing_found(self, phase: PhaseName, step_id: str, title: str, query: str) -> None:
        """A count that must be 0."""
        self._add(phase, Step(id=step_id, kind="check", title=title, spec={"query": query, "expect": 0, "timeout_ms": COUNT_MS}))

    def holds(self, phase: PhaseName, step_id: str, title: str, query: str) -> None:
        """A question whose answer must be true."""
        self._add(phase, Step(id=step_id, kind="check", title=title, spec={"query": query, "expect": True}))

    def gate(self, phase: PhaseName, step_id: str, title: str, ask: str) -> None:
        """What a person confirms before it goes on."""
        self._add(phase, Step(id=step_id, kind="gate", title=title, spec={"ask": ask}))

    def _add(self, phase: PhaseName, step: Step) -> None:
        check_spec(step.kind, step.spec)
        self._steps.append((phase, step))


def script(*statements: str) -> str:
    """Statements as the SQL of a step."""
    return "".join(f"{statement.strip().rstrip(';')};\n" for statement in statements)
