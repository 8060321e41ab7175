"""docs/operating.md lists every setting, with the default and the reason that the code has."""

from pathlib import Path

from app.settings import settings_table

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"


def test_the_settings_in_the_docs_are_those_of_the_code():
    text = PAGE.read_text()
    between = text.split("<!-- settings", 1)[1].split("-->", 1)[1].split("<!-- /settings -->", 1)[0]
    assert between.strip() == settings_table()
