"""Every right, and the least role that holds it: the one table that pages, REST, CLI and the documentation are derived from."""

from enum import StrEnum

from app.review.roles import Role


class Permission(StrEnum):
    """A right in a project; the value is how a refusal names it."""

    VIEW = "look at this project"
    COMMENT = "comment on plans"
    WRITE_PLAN = "write plans"
    REHEARSE = "rehearse plans"
    TICK = "tick the checklist"
    TEST_TARGET = "test connections and read schemas"
    DECIDE = "approve plans and ask for changes"
    BACK_UP = "take backups"
    RESTORE = "restore backups"
    START_RUN = "start runs"
    CONTROL_RUN = "control runs"
    REVIEW_CONTROL = "review controls that were taken"
    END_SESSION = "end sessions on targets"
    OPEN_GATE = "open gates"
    ROLL_BACK = "roll runs back"
    MONITOR = "sign off the monitoring"
    OVERRIDE = "override a gate by name"
    EDIT_TARGETS = "change environments and targets"
    EDIT_PEOPLE = "change who may do what"


#: Rights only grow along the roles, so the least role says it all.
MINIMUM_ROLE: dict[Permission, Role] = {
    Permission.VIEW: Role.VIEWER,
    Permission.COMMENT: Role.AUTHOR,
    Permission.WRITE_PLAN: Role.AUTHOR,
    Permission.REHEARSE: Role.AUTHOR,
    Permission.TICK: Role.AUTHOR,
    Permission.TEST_TARGET: Role.AUTHOR,
    Permission.DECIDE: Role.APPROVER,
    Permission.BACK_UP: Role.OPERATOR,
    Permission.RESTORE: Role.OPERATOR,
    Permission.START_RUN: Role.OPERATOR,
    Permission.CONTROL_RUN: Role.OPERATOR,
    Permission.REVIEW_CONTROL: Role.OPERATOR,
    Permission.END_SESSION: Role.OPERATOR,
    Permission.OPEN_GATE: Role.OPERATOR,
    Permission.ROLL_BACK: Role.OPERATOR,
    Permission.MONITOR: Role.OPERATOR,
    Permission.OVERRIDE: Role.ADMIN,
    Permission.EDIT_TARGETS: Role.ADMIN,
    Permission.EDIT_PEOPLE: Role.ADMIN,
}


def allows(role: Role, permission: Permission) -> bool:
    """True where the role holds the right."""
    return role.includes(MINIMUM_ROLE[permission])
