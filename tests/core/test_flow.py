"""Shortest ways against brute force; advice in its order; the networks that come with the package."""

import datetime as dt
from itertools import pairwise
from math import asin, cos, hypot, radians, sin, sqrt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from motma.core.errors import Invalid
from motma.core.flow import Advice, Area, Checkpoint, Direction, Diversion, Network, Road, advise, direction
from motma.core.words import Words
from motma.forms import load_units
from motma.roads import load_network, parse_network
from motma.roads.layout import RADIUS, lay_out, line_of, way

NOTE = Words("gần đúng", "approximate")
NOW = dt.datetime(2021, 8, 14, 7, tzinfo=dt.UTC)


def network_of(*roads: tuple[str, str, int], alone: str = "") -> Network:
    ids = sorted({id for a, b, _ in roads for id in (a, b)} | set(alone))
    places = tuple(
        Checkpoint(id, Words(f"Chốt {id}", f"Checkpoint {id}"), "inner", "", 10.8, 106.7, 100.0 * n, 37.0 * n * n)
        for n, id in enumerate(ids)
    )
    return Network("test", NOTE, places, tuple(Road(a, b, metres, "") for a, b, metres in roads))


# -- shortest ways -------------------------------------------------------------------------------------------------

IDS = "abcdefg"
graphs = st.lists(
    st.tuples(st.sampled_from(IDS), st.sampled_from(IDS), st.integers(1, 9)).filter(lambda road: road[0] != road[1]),
    min_size=1,
    max_size=14,
).map(lambda roads: network_of(*roads))


def by_brute_force(network: Network, start: str) -> dict[str, int]:
    """Bellman and Ford: relax every road as often as there are checkpoints."""
    metres = {start: 0}
    for _ in network.checkpoints:
        for road in network.roads:
            for here, there in ((road.a, road.b), (road.b, road.a)):
                if here in metres:
                    metres[there] = min(metres.get(there, 1 << 30), metres[here] + road.metres)
    return metres


@given(graphs)
def test_metres_are_the_shortest(network: Network) -> None:
    for checkpoint in network.checkpoints:
        assert network.metres_from(checkpoint.id) == by_brute_force(network, checkpoint.id)


@given(graphs, st.data())
def test_the_way_goes_from_one_to_the_other(network: Network, data: st.DataObject) -> None:
    start, to = (data.draw(st.sampled_from(network.checkpoints)) for _ in "ab")
    line = way(network, start.id, to.id)
    if start == to or to.id not in network.metres_from(start.id):
        assert line == ()
    else:
        assert (line[0], line[-1]) == ((start.x, start.y), (to.x, to.y))
        stops = {(place.x, place.y): place.id for place in network.checkpoints}
        passed = [stops[point] for point in line if point in stops]
        roads = {frozenset((road.a, road.b)) for road in network.roads}
        assert all(frozenset(pair) in roads for pair in pairwise(passed))


def test_from_an_unknown_checkpoint_nothing_else_is_reached() -> None:
    assert network_of(("a", "b", 5)).metres_from("zz") == {"zz": 0}


# -- advice --------------------------------------------------------------------------------------------------------

#   a -1- b -1- c -1- d     e on its own
LINE = network_of(("a", "b", 1000), ("b", "c", 1000), ("c", "d", 1000), alone="e")


def to(target: str | None) -> Diversion:
    return Diversion("a", target, NOW, "an")


@pytest.mark.parametrize(
    ("target", "route", "diverted", "expected"),
    [
        ("d", ("a", "c"), {"a"}, "d"),  # the operator's choice comes first
        (None, ("a", "c", "d"), {"a"}, "c"),  # then the route
        ("d", ("a", "c"), {"a", "d"}, "c"),  # a diverted choice falls to the route
        (None, ("a", "c", "d"), {"a", "c"}, "d"),  # and along the route
        (None, ("b", "a"), {"a"}, "b"),  # what came before `at` on the route is no way on; b is the nearest
        (None, ("d", "a"), {"a"}, "b"),
        (None, (), {"a"}, "b"),  # then the nearest
        (None, (), {"a", "b"}, "c"),
        (None, ("c", "d"), {"a"}, "b"),  # a route without `at` says nothing about what comes after it
        (None, ("a", "c", "a", "d"), {"a"}, "c"),  # a route that passes twice: from its first visit on, never back
        (None, ("a", "c", "a", "d"), {"a", "c"}, "d"),
        ("zz", ("a", "zz", "c"), {"a"}, "c"),  # unknown ones are passed over
        ("e", ("a", "e"), {"a"}, "b"),  # and those that no road leads to
        ("a", (), {"a"}, "b"),  # never to itself
        (None, ("a", "c"), {"a", "b", "c", "d"}, None),  # none left
    ],
)
def test_advice(target: str | None, route: tuple[str, ...], diverted: set[str], expected: str | None) -> None:
    advice = advise(LINE, "a", to(target), route, diverted)
    assert (advice and advice.checkpoint) == expected


def test_advice_says_name_and_metres() -> None:
    assert advise(LINE, "a", to("c"), (), {"a"}) == Advice("c", Words("Chốt c", "Checkpoint c"), 2000)


def test_no_advice_from_an_unknown_checkpoint() -> None:
    assert advise(LINE, "zz", to("c"), (), {"zz"}) is None


@given(graphs, st.data())
def test_advice_never_leads_to_a_diverted_checkpoint(network: Network, data: st.DataObject) -> None:
    ids = sorted(network.by_id)
    at, target = data.draw(st.sampled_from(ids)), data.draw(st.sampled_from([*ids, None]))
    route = tuple(data.draw(st.lists(st.sampled_from(ids), max_size=6)))
    diverted = data.draw(st.sets(st.sampled_from(ids))) | {at}
    free = network.metres_from(at).keys() - diverted
    advice = advise(network, at, Diversion(at, target, NOW, "an"), route, diverted)
    assert (advice is None) == (not free)
    if advice:
        assert advice.checkpoint in free
        assert advice.metres == network.metres_from(at)[advice.checkpoint] > 0
        if target in free:
            assert advice.checkpoint == target


# -- networks that come with the package ---------------------------------------------------------------------------


def encoded(network: Network) -> bytes:
    return msgspec.json.encode(network)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", "roads.malformed"),
        (encoded(Network("x", NOTE, (), ())), "roads.empty"),
        (encoded(LINE), "roads.apart"),
        (encoded(network_of(("a", "b", 0))), "roads.road"),
        (encoded(Network("x", NOTE, LINE.checkpoints[:1], (Road("a", "zz", 5, ""),))), "roads.road"),
        (encoded(Network("x", NOTE, LINE.checkpoints[:1] * 2, ())), "roads.doubled"),
    ],
)
def test_a_network_that_contradicts_itself_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_network(data)
    assert refused.value.code == code


def with_areas(*areas: tuple[str, tuple[str, ...]], of_a: str = "x", of_b: str = "x") -> Network:
    """Two checkpoints in areas: those that exist, and those where the two say that they stand."""
    line = network_of(("a", "b", 5))
    places = tuple(replace(place, area=area) for place, area in zip(line.checkpoints, (of_a, of_b), strict=True))
    made = tuple(Area(id, Words(id, id), communes) for id, communes in areas)
    return replace(line, checkpoints=places, areas=made)


@pytest.mark.parametrize(
    ("network", "code", "where"),
    [
        (with_areas(("x", ("1",)), of_b=""), "roads.area_unknown", "b – ?"),
        (with_areas(("x", ("1",)), of_b="z"), "roads.area_unknown", "b – z"),
        (with_areas(), "roads.area_unknown", "a – x"),
        (with_areas(("x", ("1",)), ("x", ("2",))), "roads.area_doubled", "x"),
        (with_areas(("x", ("1", "2")), ("y", ("2",))), "roads.commune_doubled", "2"),
        (with_areas(("x", ("1", "1"))), "roads.commune_doubled", "1"),
        (with_areas(("x", ("1",)), ("p79", ())), "roads.area_id", "p79"),
        (with_areas(("x", ("1",)), ("", ())), "roads.area_id", "''"),
        (with_areas(("x", ("1",)), ("Quận 1", ())), "roads.area_id", "Quận 1"),
    ],
)
def test_areas_that_contradict_each_other_are_refused(network: Network, code: str, where: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_network(encoded(network))
    assert refused.value.code == code and where in refused.value.words.vi and where in refused.value.words.en


def test_a_network_may_have_areas_or_none() -> None:
    for network in (with_areas(of_a="", of_b=""), with_areas(("x", ("1",)), ("y", ()))):
        assert parse_network(encoded(network)) == network


@pytest.mark.parametrize("id", ["nowhere", "../hcmc-2021", ""])
def test_an_unknown_network_is_refused(id: str) -> None:
    with pytest.raises(Invalid, match=r"roads\.unknown"):
        load_network(id)


HCMC = load_network()


def test_hcmc_has_its_twelve_gateways() -> None:
    kinds = [checkpoint.kind for checkpoint in HCMC.checkpoints]
    assert (kinds.count("gateway"), kinds.count("inner")) == (12, 25)
    assert {"g07-vinh-binh", "i03-dinh-bo-linh"} <= HCMC.by_id.keys()
    assert all(id.isascii() and id == id.lower() for id in HCMC.by_id)
    assert load_network() is HCMC


DISTRICTS = {
    **dict.fromkeys(("quan-3", "quan-4", "quan-5", "quan-8", "quan-10", "phu-nhuan"), 3),
    **dict.fromkeys(("quan-1", "quan-6", "quan-7", "quan-11", "hoc-mon", "can-gio"), 4),
    **dict.fromkeys(("quan-12", "binh-tan", "binh-thanh", "tan-phu"), 5),
    **{"go-vap": 6, "tan-binh": 6, "binh-chanh": 7, "cu-chi": 7, "thu-duc": 12, "nha-be": 2},
}
"""How many communes the resolution of 2025 made of each district of 2021."""


def test_every_commune_of_the_old_city_counts_for_one_district() -> None:
    assert {area.id: len(area.communes) for area in HCMC.areas} == DISTRICTS
    communes = {commune for area in HCMC.areas for commune in area.communes}
    city = load_units().communes_of("79")
    assert len(communes) == 102 and communes < city.keys()
    outside = [int(code) for code in city.keys() - communes]  # what was Bình Dương and Bà Rịa – Vũng Tàu
    assert len(outside) == 66 and all(25_700 <= code < 26_737 for code in outside)


@pytest.mark.parametrize(
    ("commune", "name", "area"),
    [
        ("26740", "Phường Sài Gòn", "quan-1"),
        ("26884", "Phường Gò Vấp", "go-vap"),
        ("27094", "Phường An Khánh", "thu-duc"),
        ("27424", "Phường Bình Đông", "quan-8"),
        ("27457", "Phường Tân Tạo", "binh-tan"),
        ("27619", "Xã Bình Hưng", "binh-chanh"),
        ("27676", "Xã Thạnh An", "can-gio"),
        ("25747", "Phường Thủ Dầu Một", "p79"),
        ("00004", "Phường Ba Đình", "p01"),
    ],
)
def test_where_a_commune_counts(commune: str, name: str, area: str) -> None:
    units = load_units()
    assert units.communes[commune][0] == name
    assert HCMC.area_of(units.communes[commune][1], commune) == area


def test_every_checkpoint_stands_in_a_district() -> None:
    stands = {place.id: place.area for place in HCMC.checkpoints}
    assert stands["g07-vinh-binh"] == "thu-duc" and stands["i03-dinh-bo-linh"] == "binh-thanh"
    assert {stands[id] for id in stands if "18" <= id[1:3] <= "25" and id[0] == "i"} == {"go-vap"}


@pytest.mark.parametrize(
    ("origin", "destination", "way"),
    [
        ("p80", "quan-1", "in"),
        ("p79", "thu-duc", "in"),
        ("quan-1", "p75", "out"),
        ("go-vap", "quan-12", "within"),
        ("go-vap", "go-vap", "within"),
        ("p80", "p75", "through"),
        ("p79", "p79", "through"),
    ],
)
def test_which_way_a_trip_goes(origin: str, destination: str, way: Direction) -> None:
    assert direction(origin, destination) == way


def test_without_areas_everything_is_outside() -> None:
    assert LINE.area_of("79", "26740") == "p79" and direction("p79", "p79") == "through"


def test_metres_follow_from_the_coordinates() -> None:
    for road in HCMC.roads:
        a, b = HCMC.by_id[road.a], HCMC.by_id[road.b]
        half = sin(radians(b.lat - a.lat) / 2) ** 2
        half += cos(radians(a.lat)) * cos(radians(b.lat)) * sin(radians(b.lon - a.lon) / 2) ** 2
        straight = 2 * 6_371_000 * asin(sqrt(half))
        assert abs(road.metres - 1.3 * straight) <= 25.5, road.name
        assert road.metres % 50 == 0


# -- the plan's geometry -------------------------------------------------------------------------------------------


def test_every_line_is_level_upright_or_at_45_degrees() -> None:
    for road in HCMC.roads:
        for (ax, ay), (bx, by) in pairwise(line_of(HCMC, road)):
            assert ax == bx or ay == by or abs(ax - bx) == abs(ay - by), road


@given(graphs)
def test_a_road_without_bends_gets_a_line_too(network: Network) -> None:
    for road in network.roads:
        for (ax, ay), (bx, by) in pairwise(line_of(network, road)):
            assert ax == bx or ay == by or abs(ax - bx) == abs(ay - by)


def test_no_station_lies_on_another_or_on_a_road_that_passes() -> None:
    for place in HCMC.checkpoints:
        for other in HCMC.checkpoints:
            if other != place:
                assert hypot(place.x - other.x, place.y - other.y) > RADIUS[place.kind] + RADIUS[other.kind] + 8
        for road in HCMC.roads:
            if place.id not in (road.a, road.b):
                assert _distance(place, line_of(HCMC, road)) > RADIUS[place.kind] + 4, (place.id, road)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_name_covers_a_station_or_another_name(language: str) -> None:
    boxes = {id: label.box for id, label in lay_out(HCMC, language).labels.items()}
    assert boxes.keys() == HCMC.by_id.keys()
    for id, box in boxes.items():
        assert [other for other, at in boxes.items() if other != id and box.overlap(at)] == []
        for place in HCMC.checkpoints:
            near = (min(max(place.x, box.left), box.right), min(max(place.y, box.top), box.bottom))
            assert hypot(place.x - near[0], place.y - near[1]) > RADIUS[place.kind], (id, place.id)


def _distance(place: Checkpoint, line: tuple[tuple[float, float], ...]) -> float:
    found = []
    for (ax, ay), (bx, by) in pairwise(line):
        share = ((place.x - ax) * (bx - ax) + (place.y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
        share = min(max(share, 0.0), 1.0)
        found.append(hypot(place.x - ax - share * (bx - ax), place.y - ay - share * (by - ay)))
    return min(found)
