"""Boxes of a diagram never overlap, whatever the tables reference."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from app.web.views.diagram_layout import Place, Size, lay_out

NAMES = [f"t{number}" for number in range(12)]


def overlaps(one: Place, other: Place) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not (beside or one.y + one.height <= other.y or other.y + other.height <= one.y)


@given(
    heights=st.lists(st.floats(40, 900), max_size=len(NAMES)),
    lines=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=40),
)
def test_every_box_has_a_place_inside_the_picture_and_none_overlaps_another(heights, lines):
    sizes = {name: Size(width=120 + height / 9, height=height) for name, height in zip(NAMES, heights, strict=False)}
    drawn = lay_out(sizes, lines)
    assert drawn.places.keys() == sizes.keys()
    for place in drawn.places.values():
        assert place.x >= 0
        assert place.y >= 0
        assert place.x + place.width <= drawn.width
        assert place.y + place.height <= drawn.height
    assert not any(overlaps(one, other) for one, other in combinations(drawn.places.values(), 2))


def test_what_is_referenced_stands_left_of_what_references_it():
    sizes = {name: Size(width=100, height=60) for name in ("users", "orders", "lines", "alone")}
    places = lay_out(sizes, [("orders", "users"), ("lines", "orders"), ("users", "lines")]).places
    assert places["users"].x < places["orders"].x < places["lines"].x or places["lines"].x < places["users"].x
    assert places["alone"].x > max(places[name].x for name in ("users", "orders", "lines"))


def test_without_tables_there_is_no_picture():
    assert lay_out({}, []).width == 0
