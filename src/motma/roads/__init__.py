"""Road networks that come with the package: one JSON file each, made by hand from public reports.

A network is refused at the door when it contradicts itself, so that whoever holds a ``Network`` may trust it: ids are
unique, every road joins two checkpoints of the network, and every checkpoint can be reached from every other; every
checkpoint stands in an area, if there are any, and no commune in two. Where the data comes from: ``NOTICE.md``.
"""

import re
from functools import cache
from importlib import resources

import msgspec

from motma.core.errors import Invalid
from motma.core.flow import OUTSIDE, Network
from motma.core.words import Words

_AREA_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def parse_network(data: bytes) -> Network:
    """A network from its JSON. Raises :class:`Invalid` ``roads.*``, naming what is wrong."""
    try:
        network = msgspec.json.decode(data, type=Network)
    except msgspec.DecodeError as error:
        raise _invalid("malformed", str(error)) from error
    ids = [checkpoint.id for checkpoint in network.checkpoints]
    if not ids:
        raise _invalid("empty", network.id)
    if doubled := {id for id in ids if ids.count(id) > 1}:
        raise _invalid("doubled", ", ".join(sorted(doubled)))
    numbers = [checkpoint.number for checkpoint in network.checkpoints]
    if doubled := {number for number in numbers if numbers.count(number) > 1}:
        raise _invalid("number_doubled", ", ".join(sorted(doubled)))
    for road in network.roads:
        if road.a == road.b or road.metres <= 0 or not {road.a, road.b} <= set(ids):
            raise _invalid("road", f"{road.a} – {road.b}")
    if apart := set(ids) - network.metres_from(ids[0]).keys():
        raise _invalid("apart", ", ".join(sorted(apart)))
    _check_areas(network)
    return network


def _check_areas(network: Network) -> None:
    ids = [area.id for area in network.areas]
    if doubled := {id for id in ids if ids.count(id) > 1}:
        raise _invalid("area_doubled", ", ".join(sorted(doubled)))
    if wrong := [id for id in ids if not _AREA_ID.fullmatch(id) or OUTSIDE.fullmatch(id)]:
        raise _invalid("area_id", ", ".join(map(repr, wrong)))
    places = {"": ()} if not ids else network.area_by_id
    if lost := [checkpoint for checkpoint in network.checkpoints if checkpoint.area not in places]:
        raise _invalid("area_unknown", ", ".join(f"{place.id} – {place.area or '?'}" for place in lost))
    communes = [commune for area in network.areas for commune in area.communes]
    if doubled := {commune for commune in communes if communes.count(commune) > 1}:
        raise _invalid("commune_doubled", ", ".join(sorted(doubled)))


@cache
def load_network(id: str = "hcmc-2021") -> Network:
    """The network that comes with the package under ``id``. Raises :class:`Invalid` ``roads.unknown``."""
    file = resources.files(__name__) / f"{id}.json"
    if not id.replace("-", "").isalnum() or not file.is_file():
        raise _invalid("unknown", id)
    return parse_network(file.read_bytes())


def _invalid(what: str, where: str) -> Invalid:
    return Invalid(
        f"roads.{what}",
        Words(
            f"Mạng đường không dùng được ({what}): {where}.",
            f"The road network is not usable ({what}): {where}.",
        ),
    )
