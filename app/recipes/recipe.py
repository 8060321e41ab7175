"""A recipe: a statement that would disturb others -> steps that bring about the same while the application goes on."""

from collections.abc import Callable
from dataclasses import dataclass

from app.catalog.records import Schema
from app.recipes.draft import Draft, Placed
from app.recipes.site import Site, site_of
from app.sql.split import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One recipe, as data: what it is called, which statements it is for, and the steps that it makes of one."""

    #: kebab-case, stable: forms and links carry it
    id: str
    #: what the button says
    title: str
    #: one sentence for somebody who has not met it before
    sentence: str
    applies: Callable[[Site], bool]
    build: Callable[[Site], Draft]

    def matches(self, statement: Statement, schema: Schema | None, server_version: int) -> bool:
        """True where the recipe knows a way for this statement; an ALTER TABLE must hold one command only."""
        site = site_of(statement, schema, server_version)
        return site is not None and self.applies(site)

    def steps(self, statement: Statement, schema: Schema | None, server_version: int) -> tuple[Placed, ...]:
        """The steps in their order, each with its phase.

        Raises ValueError where the recipe does not match.
        """
        return self.draft(statement, schema, server_version).done()

    def draft(self, statement: Statement, schema: Schema | None, server_version: int) -> Draft:
        """The steps together with the findings that the recipe itself answers.

        Raises ValueError where the recipe does not match.
        """
        site = site_of(statement, schema, server_version)
        if site is None or not self.applies(site):
            raise ValueError(f"{self.id} is not for: {statement.text}")
        return self.build(site)
