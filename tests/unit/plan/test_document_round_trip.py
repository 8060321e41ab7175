"""Any plan at all: written and read again it is the same plan, and whatever is read is a plan or a refusal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.plan.document import PlanError, read_plan, write_plan
from app.plan.model import AcceptedRisk, Brief, Phase, Plan, Rollback, Step

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).filter(lambda text: text.strip())
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
rollbacks = st.one_of(
    st.builds(
        Rollback,
        grade=st.sampled_from(["lossless", "loses-new-writes", "irreversible"]),
        sql=texts,
        reason=st.just("") | texts,
        origin=st.sampled_from(["written", "derived"]),
    ),
    st.builds(
        Rollback,
        grade=st.sampled_from(["lossless", "irreversible"]),
        reason=texts,
        origin=st.sampled_from(["written", "derived"]),
    ),
)
milliseconds = st.integers(0, 2_147_483_647)
specs = st.one_of(
    st.tuples(
        st.just("sql"),
        st.fixed_dictionaries(
            {"sql": texts},
            optional={
                "lock_timeout_ms": milliseconds,
                "statement_timeout_ms": milliseconds,
                "attempts": st.integers(1, 1000),
                "transaction": st.booleans(),
            },
        ),
    ),
    st.tuples(
        st.just("check"),
        st.fixed_dictionaries(
            {
                "query": texts,
                "expect": st.none()
                | st.integers()
                | st.floats(allow_nan=False, allow_infinity=False)
                | texts
                | st.lists(st.lists(values, max_size=3), max_size=2),
            }
        ),
    ),
    st.tuples(
        st.just("hook"),
        st.fixed_dictionaries({"url": st.just("https://a.example/x"), "body": st.dictionaries(texts, values, max_size=3)}),
    ),
    st.tuples(st.just("wait"), st.fixed_dictionaries({"seconds": st.integers(1, 604800)})),
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    phases = []
    number = 0
    for name in draw(
        st.sets(st.sampled_from(["expand", "migrate", "contract"]), min_size=1).map(
            lambda names: sorted(names, key=["expand", "migrate", "contract"].index)
        )
    ):
        steps = []
        for _ in range(draw(st.integers(1, 3))):
            number += 1
            kind, spec = draw(specs)
            rollback = draw(rollbacks) if kind == "sql" else None
            steps.append(Step(id=f"s{number}", kind=kind, title=draw(texts), spec=spec, rollback=rollback))
        phases.append(Phase(name=name, steps=tuple(steps)))
    accepted = draw(st.lists(st.builds(AcceptedRisk, rule=texts, reason=texts, step=st.none() | st.just("s1")), max_size=2))
    brief = Brief(summary=draw(st.just("") | texts), api_impact=draw(st.just("") | texts))
    return Plan(
        name=draw(texts), phases=tuple(phases), brief=brief, accepted=tuple(accepted), tool=draw(st.sampled_from(["", "prisma"]))
    )


@settings(max_examples=150, deadline=None)
@given(plans())
def test_a_written_plan_has_the_same_digest_when_it_is_read(plan: Plan) -> None:
    assert read_plan(write_plan(plan)).digest() == plan.digest()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_whatever_is_read_is_a_plan_or_a_refusal(content: str | bytes) -> None:
    with pytest.raises(PlanError):
        read_plan(content)
