"""Another linter's answer is text of another program: cut, placed beside its statement, and no part of the risk."""

import json

import pytest

from app.analysis.analyse import analyse_script
from app.analysis.second_opinion import MOST_REMARKS, SecondOpinion, read_answer, text_for

ANALYSIS = analyse_script("ALTER TABLE a\n  ADD COLUMN b int;\nCREATE INDEX i ON a (b);")


def a_remark(**also):
    return {"line": 2, "level": "Warning", "message": "m", "help": None, "rule_name": "r", **also}


def test_a_remark_stands_beside_its_statement_with_what_our_rules_found_there():
    assert text_for(ANALYSIS).splitlines()[2] == "CREATE INDEX i ON a (b);"
    first, second = read_answer(json.dumps([a_remark(line=1), a_remark()]), ANALYSIS, version="2").remarks
    assert (first.statement, second.statement) == (1, 2)
    assert "index-blocks-writes" in second.ours


def test_too_much_and_too_long_is_cut_and_counted():
    found = read_answer(json.dumps([a_remark(message="x" * 9_000)] * (MOST_REMARKS + 7)), ANALYSIS, version="2")
    assert (len(found.remarks), found.left_out) == (MOST_REMARKS, 7)
    assert len(found.remarks[0].message) <= 600
    assert SecondOpinion.from_json(found.as_json()) == found


@pytest.mark.parametrize("answer", ["{}", "[1]", "nonsense", '{"line": 1}'])
def test_an_answer_of_another_shape_is_refused(answer):
    with pytest.raises(ValueError, match=r"no list of remarks|Expecting value"):
        read_answer(answer, ANALYSIS, version="2")


def test_a_remark_without_sense_is_about_no_statement():
    (found,) = read_answer(json.dumps([a_remark(line="x", message=7)]), ANALYSIS, version="2").remarks
    assert (found.statement, found.message) == (0, "")
