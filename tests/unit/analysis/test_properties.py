"""Whatever comes in: the analysis answers, the splitter loses nothing, and a verdict does not depend on how it is written."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from app.analysis.analyse import analyse_script
from app.analysis.registry import RULES
from app.analysis.report import Analysis
from app.errors import HeadgateError
from app.sql.split import split
from tests.doubles.shop import a_shop

EXAMPLES = [text for rule in RULES.values() for text in (rule.bad, rule.good) if text]
STATEMENTS = sorted({statement.text for text in EXAMPLES for statement in split(text)} - {"BEGIN", "COMMIT"})
CONTROL = ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "SET search_path = app, public", "SET LOCAL lock_timeout = '1s'"]
SHOP = a_shop()
FRAGMENTS = st.sampled_from([*STATEMENTS, *CONTROL])
KEYWORD = re.compile(
    r"\b(ALTER|TABLE|ADD|COLUMN|SET|NOT|NULL|INDEX|CREATE|DROP|UPDATE|WHERE|CONSTRAINT|CHECK|VALID|DEFAULT|ON)\b"
)


def verdict(script: str) -> list[tuple[object, ...]]:
    """What matters of an analysis, without places and texts."""
    found = analyse_script(script, schema=SHOP, assume_large=True)
    return [
        (report.command, report.risk, report.locks, report.rewrites, report.scans, sorted(hit.rule for hit in report.findings))
        for report in found.statements
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAGMENTS, max_size=8), st.booleans(), st.booleans(), st.sampled_from([15, 17, 18]))
def test_any_list_of_statements_gets_an_answer(parts: list[str], known: bool, single: bool, version: int) -> None:
    script = ";\n".join(parts)
    found = analyse_script(script, schema=SHOP if known else None, server_version=version, single_transaction=single)
    assert len(found.statements) == len(parts)
    assert Analysis.from_json(found.as_json()) == found


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=200) | st.lists(st.sampled_from([*"'\"$;-/*\\ \nEeaé()", "SELECT 1", "$a$", "--", "/*", "*/"])).map("".join)
)
def test_any_text_is_split_or_refused_with_a_reason(text: str) -> None:
    try:
        statements = split(text)
    except HeadgateError:
        return
    assert all(statement.text and statement.text in text.removeprefix("\ufeff") for statement in statements)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=6), st.sampled_from([";", ";\n", " ;\n-- é; 'x\n", ";/* ; */\n"])
)
def test_splitting_loses_nothing(parts: list[str], between: str) -> None:
    script = between.join(parts)
    statements = split(script)
    assert [statement.text for statement in statements] == parts
    lines = script.split("\n")
    for statement in statements:
        assert lines[statement.line - 1][statement.column - 1 :].startswith(statement.text.split("\n")[0])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=4), st.sampled_from(["\n", "  ", "\n/* c */ ", " -- c\n", "\t"])
)
def test_blanks_comments_and_case_do_not_change_the_verdict(parts: list[str], blank: str) -> None:
    plain = [" ".join(part.split()) for part in parts if "$$" not in part and "'" not in part and "--" not in part]
    dressed = [KEYWORD.sub(lambda word: blank + word[0].lower() + blank, part) for part in plain]
    assert verdict(";".join(plain)) == verdict(";\n".join(dressed))
