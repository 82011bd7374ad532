"""Counts add up, what stands out is found, and the drawn plan is sound, escaped and free of inline style."""

import datetime as dt
import re
from importlib import resources
from typing import ClassVar
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motma.core.flow import Checkpoint, Diversion, Network, Road
from motma.core.fold import Tally
from motma.core.words import Words
from motma.roads import load_network
from motma.web import pages
from motma.web.plan import PlaceCounts, draw_plan, last_hour, local_midnight, number, say_place, snapshot_of

NET = load_network()
NOW = dt.datetime(2021, 8, 14, 7, 20, 31, tzinfo=dt.UTC)  # 14:20 in Ho Chi Minh City
HOUR = NOW.replace(minute=0, second=0)
SVG = "{http://www.w3.org/2000/svg}"


def at(hours_ago: int, place: str, kind: str, outcome: str, count: int) -> tuple[Tally, int]:
    return Tally(place, HOUR - dt.timedelta(hours=hours_ago), kind, outcome), count


def diverted(checkpoint: str, to: str | None, note: str = "") -> dict[str, Diversion]:
    return {checkpoint: Diversion(checkpoint, to, NOW - dt.timedelta(minutes=5), "an", note)}


COUNTS = [
    at(0, "g07-vinh-binh", "declared", "accepted", 90),
    at(0, "g07-vinh-binh", "declared", "pending", 4),
    at(1, "g07-vinh-binh", "refused", "name", 3),
    at(3, "g07-vinh-binh", "refused", "name+birth_date", 1),
    at(0, "", "declared", "accepted", 10),
    at(0, "g07-vinh-binh", "scanned", "accept", 1200),
    at(1, "g07-vinh-binh", "scanned", "reject", 200),
    at(1, "g07-vinh-binh", "reason", "standing.expired", 200),
    at(3, "i03-dinh-bo-linh", "scanned", "manual", 40),
    at(8, "i03-dinh-bo-linh", "scanned", "accept", 7),  # 06:00, still today
    at(15, "i03-dinh-bo-linh", "scanned", "accept", 1000),  # yesterday by the clock on the wall
]


# -- counts --------------------------------------------------------------------------------------------------------


def test_today_is_counted_from_local_midnight() -> None:
    today = snapshot_of(COUNTS, {}, NOW)
    assert today.since == dt.datetime(2021, 8, 13, 17, tzinfo=dt.UTC)
    assert today.span == Words("từ 0 giờ hôm nay", "since midnight")
    assert today.clock == "14:20:31"
    assert today.place("i03-dinh-bo-linh").verdicts == {"manual": 40, "accept": 7}
    here = today.place("g07-vinh-binh")
    assert (here.declared, here.accepted, here.pending, here.refusals) == (98, 90, 4, 4)
    assert here.refused == {"name": 3, "name+birth_date": 1}
    assert (here.scans, here.verdict("accept"), here.verdict("refer")) == (1400, 1200, 0)
    assert today.totals.declared == 108  # with those who named no route
    assert today.totals.scans == 1447
    assert today.place("g01-long-phuoc") == PlaceCounts()


def test_the_last_hour_is_counted_by_clock_hours() -> None:
    recent = snapshot_of(COUNTS, {}, NOW, since=last_hour(NOW))
    assert recent.span == Words("từ 13:00 hôm nay", "since 13:00 today")
    assert recent.totals.scans == 1400
    assert recent.totals.refused == {"name": 3}


def test_the_last_hour_does_not_reach_into_yesterday() -> None:
    night = dt.datetime(2021, 8, 13, 17, 20, tzinfo=dt.UTC)  # 00:20
    assert last_hour(night) == local_midnight(night)


def test_counts_in_words() -> None:
    counts = snapshot_of(COUNTS, {}, NOW).totals
    assert counts.refused_in_words() == [
        (Words("họ tên", "name"), 3),
        (Words("họ tên + ngày sinh", "name + birth date"), 1),
    ]
    assert [count for _, count in counts.reasons_in_words()] == [200]
    odd = PlaceCounts(refused={"": 1, "shoe_size": 2}, reasons={"no.such": 1})
    assert [words.en for words, _ in odd.refused_in_words()] == ["shoe_size", "other"]
    assert odd.reasons_in_words() == [(Words("no.such", "no.such"), 1)]


@given(
    st.lists(
        st.tuples(
            st.builds(
                Tally,
                st.sampled_from(["", "g07-vinh-binh", "i03-dinh-bo-linh", "gone"]),
                st.integers(0, 30).map(lambda hours: HOUR - dt.timedelta(hours=hours)),
                st.sampled_from(["declared", "refused", "scanned", "reason", "other"]),
                st.sampled_from(["accepted", "pending", "repairable", "accept", "manual", "refer", "reject", "name"]),
            ),
            st.integers(1, 10_000),
        ),
        max_size=30,
    )
)
def test_whatever_is_counted_adds_up_and_can_be_drawn(counted: list[tuple[Tally, int]]) -> None:
    today = snapshot_of(counted, diverted("g07-vinh-binh", "i03-dinh-bo-linh"), NOW)
    for counts in (today.totals, *today.places.values()):
        assert counts.declared == counts.accepted + counts.pending + counts.by_hand + counts.refusals
        assert counts.scans == sum(counts.verdicts.values())
    for total in ("declared", "accepted", "pending", "by_hand", "scans", "refusals"):
        assert sum(getattr(counts, total) for counts in today.places.values()) == getattr(today.totals, total)
    today.matters()
    ElementTree.fromstring(draw_plan(NET, today, "vi"))


# -- what stands out -----------------------------------------------------------------------------------------------


def test_what_stands_out_comes_most_urgent_first() -> None:
    orders = diverted("g07-vinh-binh", "g08-song-than") | diverted("g08-song-than", None)
    counted = [*COUNTS, at(0, "i02-le-van-duyet", "declared", "pending", 60)]
    counted += [at(0, "i01-phan-dang-luu", "declared", "accepted", 30)]
    counted += [at(0, "i01-phan-dang-luu", "refused", "birth_date", 5)]
    matters = snapshot_of(counted, orders, NOW).matters()
    assert [(matter.kind, matter.checkpoint) for matter in matters] == [
        ("astray", "g07-vinh-binh"),
        ("stop", "g07-vinh-binh"),
        ("pending", None),
        ("check", "i03-dinh-bo-linh"),
        ("refused", "i01-phan-dang-luu"),
    ]
    assert (matters[1].count, matters[1].of) == (200, 1400)
    assert matters[4].because == Words("ngày sinh", "birth date")


def test_a_quiet_day_needs_nobody() -> None:
    assert snapshot_of([at(0, "g07-vinh-binh", "scanned", "accept", 900)], {}, NOW).matters() == []
    assert snapshot_of([], {}, NOW).matters() == []


def test_the_diverted_come_first_then_the_busiest() -> None:
    order = snapshot_of(COUNTS, diverted("i24-tan-son", None), NOW).busiest(NET)
    assert [place.id for place in order[:3]] == ["i24-tan-son", "g07-vinh-binh", "i03-dinh-bo-linh"]
    assert len(order) == len(NET.checkpoints)


# -- the drawn plan ------------------------------------------------------------------------------------------------


def drawn(language: str = "vi", **orders: Diversion) -> ElementTree.Element:
    return ElementTree.fromstring(draw_plan(NET, snapshot_of(COUNTS, orders, NOW), language))


def classed(svg: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [part for part in svg.iter() if name in part.get("class", "").split()]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_checkpoint_is_a_named_link(language: str) -> None:
    svg = drawn(language)
    assert svg.get("aria-labelledby") == "plan-title plan-summary"
    assert {part.get("id") for part in svg} >= {"plan-title", "plan-summary"}
    links = list(svg.iter(f"{SVG}a")) or list(svg.iter("a"))
    assert [link.get("href") for link in links] == [f"#cp-{place.id}" for place in NET.checkpoints]
    for place, link in zip(NET.checkpoints, links, strict=True):
        assert (link.get("aria-label") or "").startswith(place.name.said_in(language))


def test_shares_are_said_by_pattern_and_order_not_by_colour_alone() -> None:
    text = draw_plan(NET, snapshot_of(COUNTS, {}, NOW), "vi")
    assert text.index("plan-mix plan-accept") < text.index("plan-mix plan-reject")
    refer = draw_plan(NET, snapshot_of([at(0, "g07-vinh-binh", "scanned", "refer", 5)], {}, NOW), "vi")
    assert "plan-slit" in refer


def test_a_diversion_is_drawn_to_its_target() -> None:
    svg = drawn(**diverted("g07-vinh-binh", "i03-dinh-bo-linh"))
    assert (len(classed(svg, "plan-way")), len(classed(svg, "plan-badge")), len(classed(svg, "plan-diverted"))) == (
        1,
        1,
        1,
    )


@pytest.mark.parametrize("to", [None, "no-such", "g07-vinh-binh"])
def test_a_diversion_without_a_target_on_the_plan_has_a_badge_only(to: str | None) -> None:
    svg = drawn(**diverted("g07-vinh-binh", to))
    assert (len(classed(svg, "plan-way")), len(classed(svg, "plan-badge"))) == (0, 1)


def test_a_diversion_at_a_checkpoint_that_is_gone_is_not_drawn() -> None:
    assert classed(drawn(**diverted("gone", None)), "plan-badge") == []


def test_a_station_says_in_words_what_it_shows() -> None:
    today = snapshot_of(COUNTS, diverted("g07-vinh-binh", "i03-dinh-bo-linh"), NOW)
    here = NET.by_id["g07-vinh-binh"]
    assert say_place(NET, here, today, "vi") == (
        "Cầu Vĩnh Bình, QL13: 1.400 lượt quét; 1.200 được qua, 200 không qua. Đang phân luồng tới Đinh Bộ Lĩnh."
    )
    assert say_place(NET, NET.by_id["g04-ba-lang"], today, "en") == "Ba Làng crossroads, QL1: no scans yet."


def test_nothing_inline_and_nothing_from_elsewhere() -> None:
    text = draw_plan(NET, snapshot_of(COUNTS, diverted("g07-vinh-binh", "i03-dinh-bo-linh"), NOW), "vi")
    for forbidden in ("style=", "<style", "<script", "http", "onclick", "url("):
        assert forbidden not in text


def test_text_from_outside_is_escaped() -> None:
    nasty = '<b onload="x">&\'</b>'
    places = tuple(
        Checkpoint(id, Words(nasty, nasty), "gateway", nasty, 10.0, 106.0, x, 0.0)
        for id, x in (("a", 0.0), ("b", 90.0))
    )
    network = Network("n", Words(nasty, nasty), places, (Road("a", "b", 5, nasty),))
    text = draw_plan(network, snapshot_of([], diverted("a", "b", nasty), NOW), "en")
    assert "<b " not in text
    assert "</b>" not in text
    ElementTree.fromstring(text)


def test_a_network_with_one_checkpoint_and_no_road_can_be_drawn() -> None:
    alone = msgspec.structs.replace(NET, checkpoints=NET.checkpoints[:1], roads=(), rivers=())
    ElementTree.fromstring(draw_plan(alone, snapshot_of(COUNTS, {}, NOW), "vi"))


def test_numbers_follow_the_language() -> None:
    assert (number(96_347, "vi"), number(96_347, "en")) == ("96.347", "96,347")


# -- the operators' page -------------------------------------------------------------------------------------------


class _Request:
    headers: ClassVar[dict[str, str]] = {}


def rendered(template: str, language: str = "vi", orders: dict[str, Diversion] | None = None, **more: object) -> str:
    today = snapshot_of(COUNTS if orders is not None else [], orders or {}, NOW)
    recent = snapshot_of(COUNTS if orders is not None else [], orders or {}, NOW, since=last_hour(NOW))
    shown: dict[str, object] = {
        "request": _Request,
        "lang": language,
        "now": NOW,
        "network": NET,
        "snapshot": today,
        "recent": recent,
        "diversions": today.diversions,
        "plan_svg": draw_plan(NET, recent, language),
        "operator": "Nguyễn Thị Hoàng Phương Uyên",
        "measure": None,
    }
    return pages._environment.get_template(f"ops/{template}").render(**(shown | more))


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("orders", [None, {}, diverted("g07-vinh-binh", "i03-dinh-bo-linh", "<i>kẹt</i>")])
def test_the_page_is_whole_without_script(language: str, orders: dict[str, Diversion] | None) -> None:
    html = rendered("index.html", language, orders)
    for place in NET.checkpoints:
        assert html.count(f'id="cp-{place.id}"') == 1
    for forbidden in ("style=", "<style", "onclick", "onsubmit", "<i>", "http://", "https://"):
        assert forbidden not in html
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert html.count('action="/ops/diversions"') == len(NET.checkpoints)
    assert html.count('action="/ops/diversions/close"') == len(orders or {})
    assert 'href="/ops/counts.csv"' in html


def test_people_are_never_offered_a_diverted_checkpoint() -> None:
    html = rendered("_rows.html", orders=diverted("g07-vinh-binh", "i03-dinh-bo-linh"))
    assert 'value="i03-dinh-bo-linh" selected' in html
    assert '<option value="g07-vinh-binh"' not in html


def test_brief_rows_leave_the_forms_out() -> None:
    html = rendered("_rows.html", orders={}, brief=True)
    assert "<form" not in html
    assert html.count("data-keep") == len(NET.checkpoints)


def test_the_way_in_keeps_the_name_and_says_what_is_wrong() -> None:
    html = rendered("login.html", error=Words("Sai mã.", "Wrong key."), name='"uyên"')
    assert "Sai mã." in html
    assert 'value="&#34;uyên&#34;"' in html
    assert 'role="alert"' not in rendered("login.html", error=None, name="")


def test_the_script_is_small() -> None:
    script = (resources.files("motma.web") / "static/ops.js").read_bytes()
    assert len(script) < 6 * 1024
