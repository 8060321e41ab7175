"""Every recipe on real servers, while an application reads and writes: none of its queries fails, none waits for long."""

import pytest

from tests.doubles.databases import Database
from tests.postgres.recipes.cases import CASES
from tests.postgres.recipes.proof import prove


@pytest.mark.parametrize("name", CASES)
def test_a_recipe_does_what_the_statement_does_while_the_application_goes_on(database: Database, name: str):
    prove(database, CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_a_recipe_does_the_same_on_17(database_17: Database, name: str):
    prove(database_17, CASES[name])
