"""The case set: whole scripts in many spellings with the level that each deserves where nothing is known of the target.

A line of tests/unit/analysis/cases/*.txt is ``level: script``; the files are the classes by which accuracy is told.
"""

from pathlib import Path

import pytest

from app.analysis.analyse import analyse_script

FOLDER = Path(__file__).parent / "cases"
CLASSES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def cases(name: str) -> list[tuple[str, str]]:
    lines = (FOLDER / f"{name}.txt").read_text().splitlines()
    return [(level, script) for level, _, script in (line.partition(": ") for line in lines)]


@pytest.mark.parametrize("name", CLASSES)
def test_every_script_of_a_class_gets_its_level(name: str) -> None:
    wrong = [
        f"{level} expected, {found.risk} found: {script}"
        for level, script in cases(name)
        if (found := analyse_script(script)).risk != level
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", CLASSES)
def test_a_level_does_not_depend_on_spelling(name: str) -> None:
    for level, script in cases(name):
        spaced = "\n-- first\n" + script.replace("; ", ";\n\n/* between */\n") + "\n-- last"
        assert analyse_script(spaced).risk == level, script


def test_the_set_is_broad() -> None:
    assert len(CLASSES) >= 10
    assert sum(len(cases(name)) for name in CLASSES) >= 450
