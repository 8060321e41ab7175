"""The recipes that are offered beside the findings of a plan."""

from app.actions.drafting import last_schema
from app.actions.work import Work
from app.analysis.report import Analysis
from app.recipes.offers import Offer, recipes_for
from app.web.views.standing import Standing


def offers_by_statement(work: Work, now: Standing) -> dict[tuple[str, int], list[Offer]]:
    """Step and statement -> what can be done instead; by the schema of the target that the plan is meant for."""
    report = now.analysis.report if now.analysis else None
    if not report or "statements" not in report:
        return {}
    found: dict[tuple[str, int], list[Offer]] = {}
    for offer in recipes_for(Analysis.from_json(report), now.content, last_schema(work.session, now.plan.target_id)):
        found.setdefault((offer.step, offer.statement), []).append(offer)
    return found
