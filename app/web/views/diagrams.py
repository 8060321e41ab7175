"""An ER diagram as figures for SVG: boxes with their rows of text, and a curve for each foreign key."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.catalog.neighbourhood import Box, BoxColumn, Line, Neighbourhood
from app.web.views.diagram_layout import GAP_X, Layout, Place, Size, lay_out

ROW, HEAD, PADDING = 20.0, 30.0, 8.0
#: of Geist Mono at 12 px
_LETTER = 7.3
_NARROWEST, _WIDEST = 24, 46
_SIGNS = {"new": "+", "changed": "~", "removed": "−"}  # noqa: RUF001 - a minus as wide as the plus
_WORDS = {"new": "new", "changed": "changed", "removed": "removed", "": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRow:
    """One column of a box."""

    y: float
    sign: str
    text: str
    key: str
    css: str
    #: the whole of it, where the text is cut
    full: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnBox:
    """One table in its place."""

    name: str
    title: str
    word: str
    css: str
    place: Place
    rows: tuple[TextRow, ...]
    more: str
    more_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLine:
    """One foreign key as the path of a curve, with where its words stand."""

    path: str
    css: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """Everything that the picture shows; sizes in pixels."""

    width: int
    height: int
    boxes: tuple[DrawnBox, ...]
    lines: tuple[DrawnLine, ...]
    left_out: int
    sentence: str


def diagram(found: Neighbourhood) -> Diagram | None:
    """The drawing; None where there is no table to draw."""
    if not found.boxes:
        return None
    letters = {box.name: _letters(box) for box in found.boxes}
    sizes = {box.name: Size(width=letters[box.name] * _LETTER + 2 * PADDING, height=_height(box)) for box in found.boxes}
    boxes = {box.name: box for box in found.boxes}
    layout = lay_out(sizes, [(line.child, line.parent) for line in found.lines])
    return Diagram(
        width=round(layout.width),
        height=round(layout.height),
        boxes=tuple(_box(box, layout.places[box.name], letters[box.name]) for box in found.boxes),
        lines=tuple(_line(line, layout, boxes[line.child]) for line in found.lines),
        left_out=found.left_out,
        sentence=f"{len(found.boxes)} tables and {len(found.lines)} foreign keys; they stand in the list below",
    )


def _rows(box: Box) -> list[tuple[BoxColumn, str, str]]:
    return [(column, _key(column), f"{column.name} {column.type}") for column in box.columns]


def _key(column: BoxColumn) -> str:
    return " ".join(word for word, holds in (("PK", column.is_primary), ("FK", column.is_foreign)) if holds)


def _letters(box: Box) -> int:
    """How many letters wide the box is: sign, name and type, and the keys at its right."""
    wanted = [2 + len(text) + (len(key) + 2 if key else 0) for _, key, text in _rows(box)]
    title = len(box.name) + len(_WORDS[box.change]) + 4
    return max(_NARROWEST, min(max([*wanted, title]), _WIDEST))


def _height(box: Box) -> float:
    return HEAD + ROW * (len(box.columns) + bool(box.hidden)) + PADDING


def _box(box: Box, place: Place, letters: int) -> DrawnBox:
    rows = []
    for number, (column, key, text) in enumerate(_rows(box)):
        rows.append(
            TextRow(
                y=place.y + HEAD + ROW * number + ROW * 0.7,
                sign=_SIGNS.get(column.change, ""),
                text=_cut(text, letters - 2 - (len(key) + 2 if key else 0)),
                key=key,
                css=column.change,
                full=f"{text}{f', {column.change}' if column.change else ''}",
            )
        )
    return DrawnBox(
        name=box.name,
        title=_cut(box.name, letters - len(_WORDS[box.change]) - (4 if box.change else 0)),
        word=f"{_SIGNS[box.change]} {_WORDS[box.change]}" if box.change else "",
        css=box.change,
        place=place,
        rows=tuple(rows),
        more=f"and {box.hidden} more" if box.hidden else "",
        more_y=place.y + HEAD + ROW * len(rows) + ROW * 0.7,
    )


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: max(letters - 1, 1)] + "…"


def _line(line: Line, layout: Layout, box: Box) -> DrawnLine:
    child, parent = layout.places[line.child], layout.places[line.parent]
    word = f" ({_WORDS[line.change]})" if line.change else ""
    return DrawnLine(
        path=_path(child, parent, child.y + _port(line, box)),
        css=line.change,
        sentence=f"{line.child} ({', '.join(line.columns)}) references {line.parent}: {line.name}{word}",
    )


def _port(line: Line, box: Box) -> float:
    """Where the line leaves its box: at the row of its first column, or at the head where that row is not shown."""
    rows = (number for number, column in enumerate(box.columns) if column.name in line.columns)
    return next((HEAD + ROW * (number + 0.5) for number in rows), HEAD / 2)


def _path(child: Place, parent: Place, start_y: float) -> str:
    """From the child's side to the parent's; around the right where both stand in one column or the parent stands right of it."""
    end_y = parent.y + HEAD / 2
    if child is parent or child.x <= parent.x:
        start_x, end_x = child.x + child.width, parent.x + parent.width
        beyond = max(start_x, end_x) + GAP_X * 0.45
        return _curve((start_x, start_y), (beyond, start_y), (beyond, end_y), (end_x, end_y))
    start_x, end_x = child.x, parent.x + parent.width
    bend = max((start_x - end_x) / 2, GAP_X / 2)
    return _curve((start_x, start_y), (start_x - bend, start_y), (end_x + bend, end_y), (end_x, end_y))


def _curve(*points: Sequence[float]) -> str:
    (x, y), *rest = points
    return f"M{x:.0f} {y:.0f}C" + " ".join(f"{px:.0f} {py:.0f}" for px, py in rest)
