"""Roads, checkpoints and where to send people when one jams."""

import datetime as dt
import heapq
import re
from collections.abc import Collection
from functools import cached_property
from typing import Literal

import msgspec

from motma.core.words import Words

Direction = Literal["in", "out", "within", "through"]
"""Of a trip, as the areas of a network see it."""
OUTSIDE = re.compile(r"p\d\d")
"""How places outside a network are called; no area may be."""


class Area(msgspec.Struct, frozen=True):
    """A part of the land that a network covers. ``communes``: the codes of 2025 that count for it."""

    id: str
    name: Words
    communes: tuple[str, ...] = ()


class Checkpoint(msgspec.Struct, frozen=True):
    """A checkpoint of the network. ``x``, ``y`` (0-1000): its place on the plan; ``lat``, ``lon``: approximate.

    ``area`` is the one whose checkpoint it is; "" in a network without areas.
    """

    id: str
    name: Words
    kind: Literal["gateway", "inner"]
    road: str
    lat: float
    lon: float
    x: float
    y: float
    area: str = ""

    @property
    def number(self) -> str:
        """What a code calls it: the id up to its first hyphen (``g07``), unique in the network."""
        return self.id.partition("-")[0]


class Road(msgspec.Struct, frozen=True):
    """A stretch between two checkpoints, passable both ways. ``metres`` is approximate.

    ``via`` are the bends of the line that stands for it on the drawn plan, from ``a`` to ``b``.
    """

    a: str
    b: str
    metres: int
    name: str
    via: tuple[tuple[float, float], ...] = ()


class River(msgspec.Struct, frozen=True):
    """Water on the drawn plan, so that people find their way on it. Nothing is computed from it."""

    name: Words
    path: tuple[tuple[float, float], ...]


class Network(msgspec.Struct, frozen=True, dict=True):
    """Checkpoints, the roads between them, and the areas they stand in."""

    id: str
    note: Words
    checkpoints: tuple[Checkpoint, ...]
    roads: tuple[Road, ...]
    rivers: tuple[River, ...] = ()
    areas: tuple[Area, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Checkpoint]:
        return {checkpoint.id: checkpoint for checkpoint in self.checkpoints}

    @cached_property
    def area_by_id(self) -> dict[str, Area]:
        return {area.id: area for area in self.areas}

    @cached_property
    def _area_of_commune(self) -> dict[str, str]:
        return {commune: area.id for area in self.areas for commune in area.communes}

    def area_of(self, province: str, commune: str) -> str:
        """The id of the area that a commune counts for; outside the network "p" and the province's code ("p75").

        A province that lies in the network only in part is both: its communes outside are "p79".
        """
        return self._area_of_commune.get(commune) or f"p{province}"

    @cached_property
    def neighbours(self) -> dict[str, list[tuple[str, int]]]:
        near: dict[str, list[tuple[str, int]]] = {checkpoint.id: [] for checkpoint in self.checkpoints}
        for road in self.roads:
            near[road.a].append((road.b, road.metres))
            near[road.b].append((road.a, road.metres))
        return near

    def metres_from(self, start: str) -> dict[str, int]:
        """Shortest way by road from ``start`` to every checkpoint that can be reached (Dijkstra)."""
        metres: dict[str, int] = {}
        ahead = [(0, start)]
        while ahead:
            so_far, here = heapq.heappop(ahead)
            if here in metres:
                continue
            metres[here] = so_far
            for there, stretch in self.neighbours.get(here, ()):
                if there not in metres:
                    heapq.heappush(ahead, (so_far + stretch, there))
        return metres


def direction(origin: str, destination: str) -> Direction:
    """Where a trip between two places, as :meth:`Network.area_of` names them, goes."""
    begins, ends = OUTSIDE.fullmatch(origin) is None, OUTSIDE.fullmatch(destination) is None
    if begins:
        return "within" if ends else "out"
    return "in" if ends else "through"


class Diversion(msgspec.Struct, frozen=True):
    """An open order to send people on from ``checkpoint``. ``to`` is where to; None leaves it to the route."""

    checkpoint: str
    to: str | None
    opened_at: dt.datetime
    opened_by: str
    note: str = ""


class Advice(msgspec.Struct, frozen=True):
    """Where to go on to."""

    checkpoint: str
    name: Words
    metres: int


def advise(
    network: Network, at: str, diversion: Diversion, route: tuple[str, ...], diverted: Collection[str]
) -> Advice | None:
    """The checkpoint to send somebody on to from ``at``.

    The operator's choice if there is one; else the next on the declared ``route`` after ``at``; else the nearest by
    road. Never one that is itself diverted or that no road leads to; None when nothing is left.
    """
    reach = network.metres_from(at)
    after = route[route.index(at) + 1 :] if at in route else ()
    nearest = sorted((metres, there) for there, metres in reach.items() if there != at)
    candidates = [diversion.to, *after, *(there for _, there in nearest)]
    for there in candidates:
        if there in reach and there != at and there not in diverted:
            return Advice(there, network.by_id[there].name, reach[there])
    return None
