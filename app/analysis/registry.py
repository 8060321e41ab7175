"""RULES by id: every module of app/analysis/rules holds one."""

import hashlib
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


def _version() -> str:
    content = "\n".join(f"{rule.id} {rule.level} {rule.bad} {rule.good}" for rule in RULES.values())
    return hashlib.sha256(content.encode()).hexdigest()[:12]


#: Names this set of rules: an approval given under another set is stale.
RULES_VERSION = _version()
