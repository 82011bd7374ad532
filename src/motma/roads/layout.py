"""A network as lines and words on a plane: bends, shortest ways, and where each name finds room.

Pure geometry in the plan's units (0-1000), without colour or markup. A plan is octilinear: every line runs level,
upright or at 45 degrees.
"""

from functools import lru_cache
from itertools import pairwise
from math import atan2, ceil, degrees, hypot
from typing import Literal, NamedTuple

from motma.core.flow import Checkpoint, Network, Road

Point = tuple[float, float]
Line = tuple[Point, ...]

RADIUS = {"gateway": 27.0, "inner": 22.0}
"""How far a station reaches from its middle."""

NAME_SIZE, ROAD_SIZE, LEADING = 17.0, 14.0, 19.0
_WIDTH_OF_A_LETTER = 0.57
"""Of the type size, on average, in Be Vietnam Pro."""

_LETTERS_A_LINE = 13
_REACH_OF_A_NAME = 250.0


class Box(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "Box") -> float:
        """The area that both cover."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return wide * high if wide > 0 and high > 0 else 0.0

    def grown(self, by: float) -> "Box":
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def holds(self, point: Point) -> bool:
        return self.left < point[0] < self.right and self.top < point[1] < self.bottom


_SHEET = Box(-10, -20, 1050, 790)
"""Names that stick out of it make the whole plan smaller."""


class Label(NamedTuple):
    """A station's name in lines; ``road`` is the fainter last line of a gateway, or "". ``y`` is the first baseline."""

    lines: tuple[str, ...]
    road: str
    anchor: Literal["start", "middle", "end"]
    x: float
    y: float
    box: Box


class Layout(NamedTuple):
    """Where everything that does not change with the hour goes."""

    lines: tuple[tuple[Road, Line], ...]
    labels: dict[str, Label]
    bounds: Box


@lru_cache(maxsize=16)
def lay_out(network: Network, language: str) -> Layout:
    """Lines and names of a network, with names in ``language``. The same network always comes out the same."""
    lines = tuple((road, line_of(network, road)) for road in network.roads)
    labels = _labels(network, language, [line for _, line in lines])
    boxes = [label.box for label in labels.values()]
    boxes += [_around(checkpoint).grown(4) for checkpoint in network.checkpoints]
    bounds = Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )
    return Layout(lines, labels, bounds.grown(6))


def line_of(network: Network, road: Road) -> Line:
    """The line that stands for a road; without bends of its own it gets one: first at 45 degrees, then straight."""
    a, b = network.by_id[road.a], network.by_id[road.b]
    if road.via:
        return ((a.x, a.y), *road.via, (b.x, b.y))
    across, down = b.x - a.x, b.y - a.y
    if not across or not down or abs(across) == abs(down):
        return ((a.x, a.y), (b.x, b.y))
    slant = min(abs(across), abs(down))
    bend = (a.x + slant * (1 if across > 0 else -1), a.y + slant * (1 if down > 0 else -1))
    return ((a.x, a.y), bend, (b.x, b.y))


def way(network: Network, start: str, to: str) -> Line:
    """The shortest way by road as one line; empty if there is none."""
    left = network.metres_from(to)
    if start not in left or start == to:
        return ()
    here, points = start, [(network.by_id[start].x, network.by_id[start].y)]
    while here != to:
        for road in network.roads:
            there = road.b if road.a == here else road.a if road.b == here else None
            if there is not None and left[there] + road.metres == left[here]:
                line = line_of(network, road)
                points += line[1:] if road.a == here else line[-2::-1]
                here = there
                break
    return tuple(points)


def along(line: Line, distance: float) -> tuple[float, float, float]:
    """The point at ``distance`` from the start of a line, and the heading there in degrees (0 right, 90 down)."""
    for (ax, ay), (bx, by) in pairwise(line):
        stretch = hypot(bx - ax, by - ay)
        if distance <= stretch or (bx, by) == line[-1]:
            share = min(distance / stretch, 1.0)
            return ax + (bx - ax) * share, ay + (by - ay) * share, degrees(atan2(by - ay, bx - ax))
        distance -= stretch
    raise ValueError("a line has two points at least")


def shortened(line: Line, by: float) -> Line:
    """A line without its last ``by``."""
    x, y, _ = along(line[::-1], by)
    kept = list(line)
    while len(kept) > 2 and hypot(kept[-2][0] - line[-1][0], kept[-2][1] - line[-1][1]) <= by:
        kept.pop()
    return (*kept[:-1], (x, y))


def rounded(line: Line, radius: float = 16.0) -> str:
    """SVG path data of a line, its bends rounded."""
    data = [f"M{_n(line[0][0])} {_n(line[0][1])}"]
    for (ax, ay), (bx, by), (cx, cy) in zip(line, line[1:], line[2:], strict=False):
        before, after = hypot(bx - ax, by - ay), hypot(cx - bx, cy - by)
        cut = min(radius, before / 2, after / 2)
        data.append(f"L{_n(bx + (ax - bx) * cut / before)} {_n(by + (ay - by) * cut / before)}")
        data.append(f"Q{_n(bx)} {_n(by)} {_n(bx + (cx - bx) * cut / after)} {_n(by + (cy - by) * cut / after)}")
    data.append(f"L{_n(line[-1][0])} {_n(line[-1][1])}")
    return "".join(data)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


# -- names ---------------------------------------------------------------------------------------------------------


def _around(checkpoint: Checkpoint) -> Box:
    reach = RADIUS[checkpoint.kind]
    return Box(checkpoint.x - reach, checkpoint.y - reach, checkpoint.x + reach, checkpoint.y + reach)


def split_name(name: str, letters: int = _LETTERS_A_LINE) -> tuple[str, ...]:
    """A name in one line if it has few enough letters, else in two, as even as they get."""
    words = name.split(" ")
    if len(name) <= letters or len(words) < 2:
        return (name,)
    cuts = [(" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words))]
    cuts = [cut for cut in cuts if not cut[1].startswith("–")] or cuts
    # The longer part comes last where that costs little: "Cầu / Bến Phân" keeps the name together.
    return min(cuts, key=lambda cut: max(map(len, cut)) + 1.5 * (len(cut[0]) > len(cut[1])))


def _candidates(checkpoint: Checkpoint, lines: tuple[str, ...]) -> list[Label]:
    """The eight places for a name, best first."""
    road = checkpoint.road if checkpoint.kind == "gateway" else ""
    wide = max(len(line) for line in lines) * NAME_SIZE * _WIDTH_OF_A_LETTER
    wide = max(wide, len(road) * ROAD_SIZE * _WIDTH_OF_A_LETTER)
    high = (len(lines) + bool(road)) * LEADING
    x, y, reach = checkpoint.x, checkpoint.y, RADIUS[checkpoint.kind]
    side, slant = reach + 5, reach * 0.72 + 3
    found = []
    for across, down in ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, 1), (-1, -1)):
        step = slant if across and down else side
        near = x + across * step
        left = near if across > 0 else near - wide if across < 0 else x - wide / 2
        top = y + down * step - (high if down < 0 else 0 if down > 0 else high / 2)
        anchor: Literal["start", "middle", "end"] = "start" if across > 0 else "end" if across < 0 else "middle"
        box = Box(left, top, left + wide, top + high)
        found.append(Label(lines, road, anchor, near if across else x, top + LEADING * 0.78, box))
    return found


def _labels(network: Network, language: str, lines: list[Line]) -> dict[str, Label]:
    """Give each name the place where it covers least: no station, no other name, as little road as can be."""
    on_roads = [point for line in lines for point in _steps(line)]
    stations = {checkpoint.id: _around(checkpoint).grown(2) for checkpoint in network.checkpoints}
    choices: dict[str, list[tuple[float, Label]]] = {}
    for checkpoint in network.checkpoints:
        priced = []
        name = checkpoint.name.said_in(language)
        near = _around(checkpoint).grown(_REACH_OF_A_NAME)
        roads_near = list(filter(near.holds, on_roads))
        ways = dict.fromkeys((split_name(name), split_name(name, 5)))
        for rank, label in enumerate(label for lines in ways for label in _candidates(checkpoint, lines)):
            price = 1.5 * rank + 12 * sum(map(label.box.grown(3).holds, roads_near))
            price += 0.1 * (label.box.right - label.box.left) * (label.box.bottom - label.box.top)
            price -= 0.1 * label.box.overlap(_SHEET)
            price += sum(label.box.overlap(box) for id, box in stations.items() if id != checkpoint.id)
            priced.append((price, label))
        choices[checkpoint.id] = priced
    tries = [_settle(choices, order) for order in (list(choices), list(choices)[::-1])]
    return min(tries, key=lambda settled: settled[0])[1]


def _settle(choices: dict[str, list[tuple[float, Label]]], order: list[str]) -> tuple[float, dict[str, Label]]:
    """Let each name in turn take its best place beside the others, until they rest; and what that costs."""
    placed: dict[str, tuple[float, Label]] = {}
    for _ in range(5):
        for id in order:
            others = [label.box.grown(6) for other, (_, label) in placed.items() if other != id]
            priced = [(price + 2 * sum(map(label.box.overlap, others)), label) for price, label in choices[id]]
            placed[id] = min(priced, key=lambda choice: choice[0])
    return sum(price for price, _ in placed.values()), {id: placed[id][1] for id in choices}


def _steps(line: Line, step: float = 5.0) -> list[Point]:
    points = []
    for (ax, ay), (bx, by) in pairwise(line):
        count = ceil(hypot(bx - ax, by - ay) / step)
        points += [(ax + (bx - ax) * i / count, ay + (by - ay) * i / count) for i in range(count + 1)]
    return points
