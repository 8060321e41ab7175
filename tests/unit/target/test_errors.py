"""Why no connection came about, told by the words that libpq and servers use: what passes by itself is waited for."""

import psycopg
import pytest

from app.target.errors import from_connect


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("FATAL:  terminating connection due to administrator command", "refused"),
        ("server closed the connection unexpectedly", "refused"),
        ("FATAL:  the database system is starting up", "refused"),
        ("FATAL:  sorry, too many clients already", "full"),
        ('FATAL:  password authentication failed for user "x"', "password"),
        ("something that nobody has met", "other"),
    ],
)
def test_the_kind_says_whether_it_may_pass_by_itself(words: str, kind: str):
    error = psycopg.OperationalError(f'connection to server at "127.0.0.1", port 5432 failed: {words}')
    assert from_connect(error, "127.0.0.1/x").kind == kind
