"""Road networks that come with the package: one JSON file each, made by hand from public reports.

A network is refused at the door when it contradicts itself, so that whoever holds a ``Network`` may trust it: ids are
unique, every road joins two checkpoints of the network, and every checkpoint can be reached from every other.
"""

from functools import cache
from importlib import resources

import msgspec

from motma.core.errors import Invalid
from motma.core.flow import Network
from motma.core.words import Words


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
    return network


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
