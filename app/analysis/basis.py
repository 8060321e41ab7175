"""What a judgement rests on besides the text: the target's catalog, sizes and traffic, and how it is to be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.analysis.calibration import Score
from app.analysis.context import Options
from app.analysis.duration import ASSUMED, Rates
from app.analysis.probes.probe import Answer
from app.analysis.rule import Risk
from app.catalog.live import Activity
from app.catalog.records import Schema, Statistics

#: what is assumed where no target says otherwise: the newest version that the parser knows
NEWEST_VERSION = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the judgement rests on, besides the text."""

    schema: Schema | None = None
    statistics: Statistics | None = None
    #: major version; None means the catalog's, or the newest
    server_version: int | None = None
    assume_large: bool = False
    #: True where Headgate's engine runs the statements
    runs_here: bool = False
    #: how long work takes on the target: learned there, or assumed
    rates: Rates = field(default_factory=lambda: ASSUMED)
    #: how good the last estimates on the target were; None where nobody keeps them
    estimates: Score | None = None
    #: how long Headgate's engine waits for a lock there; None where somebody else runs the statements
    lock_timeout_ms: float | None = None
    #: who could be in the way on the target now; None where nobody looked
    activity: Activity | None = None
    #: relation -> the publications that send it
    publications: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: physical standbys that replay the target's WAL
    standbys: int = 0
    #: rule id -> the level that the target's policy gives its findings
    severities: Mapping[str, Risk] = field(default_factory=dict)
    #: what the target's rows said, where they were asked
    answers: tuple[Answer, ...] = ()

    def options(self) -> Options:
        """The options for the rules."""
        answers: dict[int, list[Answer]] = {}
        for answer in self.answers:
            answers.setdefault(answer.probe.statement, []).append(answer)
        version = self.server_version or (self.schema.server_version_num // 10_000 if self.schema else NEWEST_VERSION)
        return Options(
            server_version=version,
            assume_large=self.assume_large,
            runs_here=self.runs_here,
            rates=self.rates,
            lock_timeout_ms=self.lock_timeout_ms,
            activity=self.activity,
            publications=self.publications,
            standbys=self.standbys,
            severities=self.severities,
            answers={number: tuple(found) for number, found in answers.items()},
        )
