"""The parser answers from several threads at once, and gives back what it took."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.errors import HeadgateError
from app.sql.parser import SqlSyntaxError, fingerprint, parse_json, parse_plpgsql, split_bytes


def test_fingerprints_ignore_constants_comments_and_case() -> None:
    assert fingerprint("select * from t where a = 1") == fingerprint("SELECT *  FROM t WHERE a = 2 -- x")
    assert fingerprint("select a from t") != fingerprint("select b from t")


def test_plpgsql_bodies_are_read() -> None:
    assert "PLpgSQL_function" in parse_plpgsql("DO $$ BEGIN UPDATE t SET a = 1; END $$")[0]
    with pytest.raises(SqlSyntaxError):
        parse_plpgsql("DO $$ BEGIN UPDATE; END $$")


def test_statements_can_be_split_without_reading_them() -> None:
    assert split_bytes("SELECT 1; SELECT 2") == [(0, 8), (10, 8)]


def test_threads_do_not_disturb_each_other() -> None:
    def parse(number: int) -> str:
        if number % 3 == 0:
            try:
                parse_json(f"SELEC {number}")
            except HeadgateError as error:
                return error.message
        return str(parse_json(f"SELECT {number}")["stmts"][0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"])

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(parse, range(300)))
    assert all("at or near" in answer if number % 3 == 0 else str(number) in answer for number, answer in enumerate(answers))
