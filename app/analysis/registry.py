"""RULES by id: every module of app/analysis/rules holds one."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from app.analysis import rules
from app.analysis.rule import Rule


def _found() -> Mapping[str, Rule]:
    modules = (import_module(f"{rules.__name__}.{module.name}") for module in iter_modules(rules.__path__))
    found: list[Rule] = [module.RULE for module in modules]
    return {rule.id: rule for rule in sorted(found, key=lambda rule: rule.id)}


RULES: Mapping[str, Rule] = _found()
