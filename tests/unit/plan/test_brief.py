"""The plan document as Markdown, out and back in."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.plan.brief import PlanFacts, TableChange, read_document, read_markdown, write_markdown
from app.plan.errors import PlanError
from app.plan.model import Brief, Phase, Plan, Rollback, Step

STEP = Step(
    id="add",
    kind="sql",
    title="Add | role",
    spec={"sql": "ALTER TABLE public.users ADD COLUMN role text;\n"},
    rollback=Rollback(grade="loses-new-writes", sql="ALTER TABLE public.users DROP COLUMN role;", reason="Roles go."),
)
PLAN = Plan(
    name="Add user roles",
    phases=(Phase(name="expand", steps=(STEP,)),),
    brief=Brief(summary="Users get a role.", api_impact="- GET /users"),
)
FACTS = PlanFacts(
    modified=(TableChange(table="public.users", change="Add column `role`", risk="low"),),
    new={"public.roles": "what a role may do"},
    removed=("public.old",),
    grades={"add": "loses-new-writes"},
    estimated_downtime="About 3 ms of waiting.",
)


def test_the_document_has_the_shape_that_teams_know() -> None:
    text = write_markdown(PLAN, FACTS)
    headings = [line for line in text.split("### Plan")[0].splitlines() if line.startswith("#")]
    assert headings == [
        "## Migration Plan: Add user roles",
        "### Summary",
        "### Schema Changes",
        "#### Tables Modified",
        "#### New Tables",
        "#### Removed Tables",
        "### Data Migration",
        "### API Impact",
        "### Rollback Plan",
        "### Estimated Downtime",
    ]
    assert "| public.users | Add column `role` | Low |" in text
    assert "- `public.roles` - what a role may do" in text
    assert "- `public.old`" in text
    assert "| 1 | Add \\| role | loses-new-writes | Roles go. |" in text
    assert "About 3 ms of waiting." in text


def test_without_facts_the_lists_say_none() -> None:
    assert write_markdown(PLAN).count("- None") == 3


def test_what_people_wrote_comes_back_and_what_headgate_filled_in_does_not() -> None:
    assert read_markdown(write_markdown(PLAN, FACTS)) == PLAN.brief


def test_a_whole_plan_comes_back_with_its_digest() -> None:
    assert read_document(write_markdown(PLAN, FACTS)).digest() == PLAN.digest()


def test_a_section_edited_in_the_document_wins_over_the_block() -> None:
    text = write_markdown(PLAN, FACTS).replace("Users get a role.\n\n### Schema", "Every user gets a role.\n\n### Schema")
    plan = read_document(text)
    assert plan.brief.summary == "Every user gets a role."
    assert plan.step("add").spec == STEP.spec


def test_a_document_that_was_written_by_hand_is_read() -> None:
    text = """## Migration Plan: Roles

### Summary
Brief description.

### Schema Changes
#### Tables Modified
| Table | Change | Risk Level |
|-------|--------|------------|
| users | Add column `role` | Low |

### Data Migration
- Existing users get 'user'
```sql
### Summary
```
### Rollback Plan
1. Run down migration
"""
    assert read_markdown(text) == Brief(
        summary="Brief description.",
        data_migration="- Existing users get 'user'\n```sql\n### Summary\n```",
        rollback_plan="1. Run down migration",
    )


@pytest.mark.parametrize(
    ("text", "sentence", "line"),
    [
        ("", "no section", 1),
        ("just words", "no section", 1),
        ("### Sumary\nx", 'heading "Sumary" is not part', 1),
        ("### Summary\nx\n### summary\ny", "there twice", 3),
    ],
)
def test_what_is_not_recognised_is_refused_with_its_line(text: str, sentence: str, line: int) -> None:
    with pytest.raises(PlanError) as caught:
        read_markdown(text)
    assert sentence in caught.value.message
    assert (caught.value.line, bool(caught.value.hint)) == (line, True)


def test_a_document_without_a_plan_says_how_to_get_one() -> None:
    with pytest.raises(PlanError, match="no plan in this document"):
        read_document("### Summary\nx\n")


def test_a_mistake_in_the_block_is_placed_in_the_document() -> None:
    text = write_markdown(PLAN).replace("kind: sql", "knd: sql")
    with pytest.raises(PlanError) as caught:
        read_document(text)
    assert text.splitlines()[(caught.value.line or 0) - 1].strip() in {"- id: add", "knd: sql"}


HOSTILE = (
    "<script>alert(1)</script>",
    "text <img src=x onerror=alert(1)> text",
    "a ` b\nc ` <b onclick=x> ` d",
    "| ` | <b onclick=x> | ` |\n| --- | --- | --- |",
    "```\ncode\n    ```\n",  # four spaces: the block of code stays open
    "    ```\n<script>alert(1)</script>",
    "<!-- to the end",
    "[click](javascript:alert(1)) and <javascript:alert(1)>",
    "[click]\n\n[click]: JavaScript:alert(1)",
    "[click][x]",
    "- item\n\n  <details open ontoggle=x>",
    "> <script>\nalert(1)",
    "\\\\<b>",
    "![pixel](data:text/html,x)",
    "line\rline\r<b>",
    "safe \u202e<b>",
)


@pytest.mark.parametrize("written", HOSTILE)
def test_nothing_that_people_wrote_is_markup_in_the_exported_document(written: str) -> None:
    step = replace(STEP, title=f"{written} | x")
    brief = Brief(summary=written, data_migration="[x]: javascript:alert(2)", api_impact=written, rollback_plan="After it.")
    plan = Plan(name=written, phases=(Phase(name="expand", steps=(step,)),), brief=brief)
    facts = replace(FACTS, modified=(TableChange(table=written, change=written, risk="low"),), new={written: written})
    text = write_markdown(plan, facts)
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    reader.validateLink = lambda _: True
    found = reader.parse(text)
    inline = [child for token in found for child in token.children or ()]
    assert {token.content.strip() for token in found if token.type == "html_block"} <= {"<!-- from Headgate: not read back -->"}
    assert [child.content for child in inline if child.type == "html_inline"] == []
    assert [child.attrs for child in inline if child.type in {"link_open", "image"}] == []
    assert [token for token in found if token.type == "heading_open"][-1].tag == "h3"
    assert found[-1].type == "fence"
    assert "\u202e" not in text.split("### Plan")[0]
    assert read_document(text).digest() == plan.digest()
    assert write_markdown(read_document(text), facts) == text


def test_a_hostile_section_that_was_edited_in_the_document_stays_as_it_is_from_then_on() -> None:
    plan = replace(PLAN, brief=Brief(summary="See <b>this</b>."))
    edited = read_document(write_markdown(plan).replace("See", "Look at", 1))
    assert edited.brief.summary == "Look at \\<b>this\\</b>."
    assert read_document(write_markdown(edited)) == edited


def test_markdown_that_harms_nobody_is_exported_as_it_was_written() -> None:
    summary = "Users *get* a `role<T>`: 1 < 2, see [the page](https://example.com/a_b) and <https://example.com>.\n\n- one\n- two"
    assert summary in write_markdown(replace(PLAN, brief=Brief(summary=summary)))


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=80), st.text(st.sampled_from("#`~ a\n|-"), max_size=40))
def test_any_written_text_survives_the_document(summary: str, rollback: str) -> None:
    plan = Plan(name="x", phases=PLAN.phases, brief=Brief(summary=summary, rollback_plan=rollback))
    assert read_document(write_markdown(plan, FACTS)).digest() == plan.digest()
