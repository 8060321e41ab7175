"""Every table of Headgate's own database; importing this package makes ``Base.metadata`` complete."""

from app.store.tables.audit import AuditLine
from app.store.tables.backups import Backup, Restore
from app.store.tables.control import Handover, SessionEnding
from app.store.tables.estimates import Estimate
from app.store.tables.events import RunEvent
from app.store.tables.jobs import Job
from app.store.tables.people import ApiToken, Membership, Person, SignIn
from app.store.tables.plans import Analysis, Plan, PlanRevision, Rehearsal
from app.store.tables.reviews import Comment, Decision, Override, Tick
from app.store.tables.runs import GateAnswer, Run, RunGauge, RunStep
from app.store.tables.snapshots import MetricSnapshot, MonitoringItem, Verification
from app.store.tables.targets import Environment, Project, SchemaSnapshot, Target

__all__ = [
    "Analysis",
    "ApiToken",
    "AuditLine",
    "Backup",
    "Comment",
    "Decision",
    "Environment",
    "Estimate",
    "GateAnswer",
    "Handover",
    "Job",
    "Membership",
    "MetricSnapshot",
    "MonitoringItem",
    "Override",
    "Person",
    "Plan",
    "PlanRevision",
    "Project",
    "Rehearsal",
    "Restore",
    "Run",
    "RunEvent",
    "RunGauge",
    "RunStep",
    "SchemaSnapshot",
    "SessionEnding",
    "SignIn",
    "Target",
    "Tick",
    "Verification",
]
