"""Make a project: an application whose databases are migrated together."""

import re

from sqlalchemy.exc import IntegrityError

from app.actions import wording
from app.actions.work import Work
from app.store.tables.targets import Project


def create_project(work: Work, *, name: str) -> Project:
    """Make a project; its environments and members come next.

    Raises NotAllowedError, InvalidInputError where the name is taken.
    """
    work.actor.require_admin("create projects")
    name = wording.name(name)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "project"
    project = Project(name=name, slug=slug, created_at=work.now)
    try:
        with work.session.begin_nested():
            work.session.add(project)
    except IntegrityError:
        raise wording.refused("name", f"There is a project called {name} already.") from None
    work.note("create_project", "project", project.id, project_id=project.id, name=name)
    return project
