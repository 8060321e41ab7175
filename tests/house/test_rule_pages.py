"""docs/rules says what the rules say: run `python -m app.analysis.pages` after changing one."""

from importlib.util import find_spec

from app.analysis.pages import FOLDER, pages
from app.analysis.registry import RULES


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert {file.name: file.read_text() for file in FOLDER.glob("*.md")} == pages()


def test_a_rule_is_found_by_its_name() -> None:
    for rule_id in RULES:
        assert find_spec(f"app.analysis.rules.{rule_id.replace('-', '_')}") is not None, rule_id
