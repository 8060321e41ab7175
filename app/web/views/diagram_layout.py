"""Places boxes in columns so that lines run one way: what is referenced stands left of what references it; no two boxes overlap.

A layered drawing after Sugiyama in its simplest form: longest path for the layers, the mean of the neighbours above for the order
within one. A layer that is too high continues in a column of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GAP_X, GAP_Y, MARGIN = 84.0, 24.0, 16.0
#: a column does not grow beyond this unless one box alone does
MOST_HEIGHT = 760.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A box before it has a place."""

    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A box in its place, from the left upper corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Every box in its place, and how much room all of them take."""

    places: Mapping[str, Place]
    width: float
    height: float


def lay_out(sizes: Mapping[str, Size], lines: Sequence[tuple[str, str]]) -> Layout:
    """Places for the boxes; ``lines`` are (child, parent), of which those that close a circle do not count."""
    above: dict[str, list[str]] = {name: [] for name in sizes}
    for child, parent in lines:
        if child != parent and child in sizes and parent in sizes and parent not in above[child]:
            above[child].append(parent)
    layers = _layers(above)
    alone = [name for name in sizes if not above[name] and not any(name in parents for parents in above.values())]
    ordered = [[name for name in layer if name not in alone] for layer in layers]
    places: dict[str, Place] = {}
    x = MARGIN
    for layer in [*ordered, alone]:
        for column in _columns(_by_parents(layer, above, places), sizes):
            x = _put(column, sizes, places, x)
    if not places:
        return Layout(places={}, width=0.0, height=0.0)
    width, bottom = (max(p.x + p.width for p in places.values()), max(p.y + p.height for p in places.values()))
    return Layout(places=places, width=width + MARGIN, height=bottom + MARGIN)


def _layers(above: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Names by the longest way to a box without parents; on a circle, the box that is met first gives way."""
    depth: dict[str, int] = {}
    on_the_way: set[str] = set()

    def measure(name: str) -> int:
        if name in depth:
            return depth[name]
        on_the_way.add(name)
        depth_of_parents = [measure(parent) for parent in above[name] if parent not in on_the_way]
        on_the_way.discard(name)
        depth[name] = max(depth_of_parents, default=-1) + 1
        return depth[name]

    for name in above:
        measure(name)
    found: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name, layer in depth.items():
        found[layer].append(name)
    return found


def _by_parents(layer: Sequence[str], above: Mapping[str, Sequence[str]], places: Mapping[str, Place]) -> list[str]:
    """The layer in the order of the mean height of what its boxes reference."""

    def mean(name: str) -> float:
        heights = [places[parent].middle for parent in above[name] if parent in places]
        return sum(heights) / len(heights) if heights else 0.0

    return sorted(layer, key=lambda name: (mean(name), name))


def _columns(layer: Sequence[str], sizes: Mapping[str, Size]) -> list[list[str]]:
    columns: list[list[str]] = []
    height = 0.0
    for name in layer:
        if not columns or height + sizes[name].height > MOST_HEIGHT:
            columns.append([])
            height = 0.0
        columns[-1].append(name)
        height += sizes[name].height + GAP_Y
    return columns


def _put(column: Sequence[str], sizes: Mapping[str, Size], places: dict[str, Place], x: float) -> float:
    """Put a column at ``x``; where the next one begins."""
    y = MARGIN
    for name in column:
        size = sizes[name]
        places[name] = Place(x=x, y=y, width=size.width, height=size.height)
        y += size.height + GAP_Y
    return x + max(sizes[name].width for name in column) + GAP_X
