"""What the operators see: today's counts as a snapshot, what in it needs a decision, and the drawn plan.

All pure: counts and a time in, structs and SVG text out. Nothing here names a person. The plan carries no inline
style: ``plan.css`` colours it by class, and what colour says is said by order, pattern and words too.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import escape
from math import cos, radians, sin
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from motma.core.flow import Checkpoint, Diversion, Network
from motma.core.fold import Tally
from motma.core.reasons import Reason
from motma.core.words import Words
from motma.policies import known_reasons
from motma.roads.layout import LEADING, RADIUS, Box, Label, along, lay_out, rounded, shortened, way

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")

VERDICTS: dict[str, Words] = {
    "accept": Words("được qua", "go"),
    "manual": Words("kiểm tra", "check"),
    "refer": Words("sang chốt kế tiếp", "next checkpoint"),
    "reject": Words("không qua", "stop"),
}
"""The four verdicts in the order in which they are always counted and drawn."""

_FIELDS = {
    "name": Words("họ tên", "name"),
    "birth_date": Words("ngày sinh", "birth date"),
    "document.number": Words("số giấy tờ", "document number"),
}


# -- counts --------------------------------------------------------------------------------------------------------


class PlaceCounts(msgspec.Struct, frozen=True):
    """Counts at one checkpoint, or everywhere. ``declared`` = accepted + pending + by_hand + refused.

    ``by_hand`` have a code that is looked at by hand, though the register was asked, or had nothing to be asked of.
    ``refused`` is by the fields that differ from the register, ``verdicts`` by outcome of the scan, ``reasons`` by
    the deciding reason of scans that were not simply let through, ``rules`` by the rule that had no value ("": a
    policy that could not be read). ``known``: the reasons whose words are known, those that ship if None.
    """

    declared: int = 0
    accepted: int = 0
    pending: int = 0
    by_hand: int = 0
    refused: dict[str, int] = {}
    scans: int = 0
    verdicts: dict[str, int] = {}
    reasons: dict[str, int] = {}
    rules: dict[str, int] = {}
    known: Mapping[str, Reason] | None = None

    @property
    def refusals(self) -> int:
        return sum(self.refused.values())

    def verdict(self, outcome: str) -> int:
        return self.verdicts.get(outcome, 0)

    def refused_in_words(self) -> list[tuple[Words, int]]:
        """Which fields did not fit and how often, most often first."""
        return [(_fields_in_words(fields), count) for fields, count in _most_first(self.refused)]

    def reasons_in_words(self) -> list[tuple[Words, int]]:
        """Why people were not simply let through and how often, most often first."""
        known = known_reasons() if self.known is None else self.known
        return [
            (known[code].words if code in known else Words(code, code), count)
            for code, count in _most_first(self.reasons)
        ]


class Matter(msgspec.Struct, frozen=True):
    """Something an operator should look at: ``count`` out of ``of``, at ``checkpoint`` (None: everywhere); of a rule
    without a value also which."""

    kind: Literal["rule", "astray", "stop", "check", "refused", "pending"]
    checkpoint: str | None
    count: int = 0
    of: int = 0
    because: Words | None = None
    rule: str = ""


class Snapshot(msgspec.Struct, frozen=True):
    """Everything counted from ``since`` to ``at``, and what is switched on at ``at``. ``span`` says since when."""

    at: dt.datetime
    since: dt.datetime
    span: Words
    places: dict[str, PlaceCounts]
    diversions: dict[str, Diversion]
    totals: PlaceCounts

    def place(self, checkpoint: str) -> PlaceCounts:
        return self.places.get(checkpoint, PlaceCounts())

    def busiest(self, network: Network) -> list[Checkpoint]:
        """Every checkpoint: the diverted ones first, then those with most scans."""

        def rank(checkpoint: Checkpoint) -> tuple[bool, int, int]:
            counts = self.place(checkpoint.id)
            return checkpoint.id not in self.diversions, -counts.scans, -counts.declared

        return sorted(network.checkpoints, key=rank)

    def targets(self, network: Network, checkpoint: str, language: str) -> list[tuple[str, str]]:
        """Where people can be sent from ``checkpoint``: the nearest by road that are not diverted, and how far."""
        return [(id, said) for id, said in _nearest(network, checkpoint, language) if id not in self.diversions]

    @property
    def clock(self) -> str:
        """The time of the snapshot as a wall clock shows it."""
        return f"{self.at.astimezone(_LOCAL):%H:%M:%S}"

    def matters(self) -> list[Matter]:
        """What stands out, most urgent first; open diversions are not repeated here."""
        found = [(4, Matter("astray", here)) for here, order in self.diversions.items() if order.to in self.diversions]
        for id, counts in self.places.items():
            if not id:
                continue
            stopped, checked = counts.verdict("reject"), counts.verdict("manual")
            because = next((words for words, _ in counts.reasons_in_words()), None)
            if counts.scans >= 10 and stopped >= 0.1 * counts.scans:
                found.append((3, Matter("stop", id, stopped, counts.scans, because)))
            elif counts.scans >= 10 and checked >= 0.3 * counts.scans:
                found.append((1, Matter("check", id, checked, counts.scans, because)))
            if counts.declared >= 20 and counts.refusals >= 0.05 * counts.declared:
                fields = counts.refused_in_words()[0][0]
                found.append((0, Matter("refused", id, counts.refusals, counts.declared, fields)))
        found += [(5, Matter("rule", None, n, self.totals.scans, rule=rule)) for rule, n in self.totals.rules.items()]
        waiting = self.totals.pending
        if waiting >= 10 and waiting >= 0.1 * self.totals.declared:
            found.append((2, Matter("pending", None, waiting, self.totals.declared)))
        found.sort(key=lambda item: (-item[0], -item[1].count, item[1].checkpoint or ""))
        return [matter for _, matter in found]


def local_midnight(now: dt.datetime) -> dt.datetime:
    """When today began, by the clock on the wall."""
    return now.astimezone(_LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)


def last_hour(now: dt.datetime) -> dt.datetime:
    """The start of the clock hour before this one, within today: counts come by clock hours."""
    hour = now.astimezone(_LOCAL).replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=1)
    return max(hour, local_midnight(now))


def snapshot_of(
    tallies: Iterable[tuple[Tally, int]],
    diversions: Mapping[str, Diversion],
    now: dt.datetime,
    *,
    since: dt.datetime | None = None,
    known: Mapping[str, Reason] | None = None,
) -> Snapshot:
    """Add up what was counted from ``since`` (the local midnight if None) until ``now``; ``known``: reasons by code."""
    midnight = local_midnight(now)
    since = midnight if since is None else since.astimezone(_LOCAL)
    by_place: dict[str, Counter[tuple[str, str]]] = {}
    everywhere: Counter[tuple[str, str]] = Counter()
    for tally, count in tallies:
        if since <= tally.hour <= now:
            by_place.setdefault(tally.place, Counter())[tally.kind, tally.outcome] += count
            everywhere[tally.kind, tally.outcome] += count
    span = Words(f"từ {since:%H:%M} hôm nay", f"since {since:%H:%M} today")
    if since == midnight:
        span = Words("từ 0 giờ hôm nay", "since midnight")
    places = {place: _counts(counted, known) for place, counted in by_place.items()}
    return Snapshot(now, since, span, places, dict(diversions), _counts(everywhere, known))


def _counts(counted: Counter[tuple[str, str]], known: Mapping[str, Reason] | None) -> PlaceCounts:
    def by_outcome(kind: str) -> dict[str, int]:
        return {outcome: count for (of, outcome), count in counted.items() if of == kind}

    declared, refused, verdicts = by_outcome("declared"), by_outcome("refused"), by_outcome("scanned")
    accepted, pending = declared.get("accepted", 0), declared.get("pending", 0)
    travelling = sum(declared.values())
    return PlaceCounts(
        declared=travelling + sum(refused.values()),
        accepted=accepted,
        pending=pending,
        by_hand=travelling - accepted - pending,
        refused=refused,
        scans=sum(verdicts.values()),
        verdicts=verdicts,
        reasons=by_outcome("reason"),
        rules=by_outcome("rule"),
        known=known,
    )


def _most_first(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _fields_in_words(fields: str) -> Words:
    parts = [_FIELDS.get(field, Words(field or "khác", field or "other")) for field in fields.split("+")]
    return Words(" + ".join(part.vi for part in parts), " + ".join(part.en for part in parts))


@lru_cache(maxsize=1024)
def _nearest(network: Network, checkpoint: str, language: str) -> tuple[tuple[str, str], ...]:
    found = sorted((metres, id) for id, metres in network.metres_from(checkpoint).items() if id != checkpoint)[:10]
    return tuple(
        (id, f"{network.by_id[id].name.said_in(language)}, {kilometres(metres, language)}") for metres, id in found
    )


def kilometres(metres: int, language: str) -> str:
    """4,6 km in Vietnamese, 4.6 km in English."""
    said = f"{metres / 1000:.1f} km"
    return said if language == "en" else said.replace(".", ",")


def number(count: int, language: str) -> str:
    """96.347 in Vietnamese, 96,347 in English."""
    said = f"{count:,}"
    return said if language == "en" else said.replace(",", ".")


_CORNERS = ((1, -1), (1, 1), (-1, -1), (-1, 1))


# -- the drawn plan ------------------------------------------------------------------------------------------------


def draw_plan(network: Network, snapshot: Snapshot, language: str) -> str:
    """The plan as SVG text: roads, stations with their verdict mix, open diversions. ``language`` is "vi" or "en".

    Every station is a link to ``#cp-<id>``. Give it the snapshot of the last hour: its span is said in the title.
    """
    layout = lay_out(network, language)
    left, top, right, bottom = layout.bounds
    title = Words("Sơ đồ các chốt", "Plan of the checkpoints").said_in(language)
    counted = number(snapshot.totals.scans, language)
    summary = Words(
        f"{len(network.checkpoints)} chốt, {counted} lượt quét {snapshot.span.vi}, "
        f"{len(snapshot.diversions)} chốt đang phân luồng. {network.note.vi}",
        f"{len(network.checkpoints)} checkpoints, {counted} scans {snapshot.span.en}, "
        f"{len(snapshot.diversions)} diverted. {network.note.en}",
    ).said_in(language)
    parts = [
        f'<svg class="plan" viewBox="{left:.0f} {top:.0f} {right - left:.0f} {bottom - top:.0f}" role="group" '
        f'aria-labelledby="plan-title plan-summary" fill="none">',
        f'<title id="plan-title">{escape(title)}</title><desc id="plan-summary">{escape(summary)}</desc>',
    ]
    for river in network.rivers:
        parts.append(f'<path class="plan-river" d="{rounded(river.path, 40)}" stroke="#ccc"/>')
    for road, line in layout.lines:
        kinds = {network.by_id[road.a].kind, network.by_id[road.b].kind}
        kind = "trunk" if "gateway" in kinds else "street"
        parts.append(f'<path class="plan-road plan-{kind}" d="{rounded(line)}" stroke="#888"/>')
    drawn = sorted(snapshot.diversions.items())
    parts += [_way_out(network, diversion) for id, diversion in drawn if id in network.by_id]
    parts.append('<g role="list">')
    for checkpoint in network.checkpoints:
        parts.append(_station(network, checkpoint, snapshot, layout.labels[checkpoint.id], language))
    parts.append("</g>")
    names = [label.box for label in layout.labels.values()]
    parts += [_badge(network, diversion, names) for id, diversion in drawn if id in network.by_id]
    parts.append("</svg>")
    return "".join(parts)


def say_place(network: Network, checkpoint: Checkpoint, snapshot: Snapshot, language: str) -> str:
    """What a station shows, in one sentence or two."""
    counts = snapshot.place(checkpoint.id)
    said = checkpoint.name.said_in(language)
    said += f", {checkpoint.road}: " if checkpoint.kind == "gateway" else ": "
    if counts.scans:
        said += number(counts.scans, language) + Words(" lượt quét; ", " scans; ").said_in(language)
        said += ", ".join(
            f"{number(counts.verdict(outcome), language)} {words.said_in(language)}"
            for outcome, words in VERDICTS.items()
            if counts.verdict(outcome)
        )
    else:
        said += Words("chưa có lượt quét", "no scans yet").said_in(language)
    diversion = snapshot.diversions.get(checkpoint.id)
    if diversion:
        to = network.by_id.get(diversion.to or "")
        words = Words("Đang phân luồng theo lộ trình", "People are sent on along their route")
        if to:
            words = Words(f"Đang phân luồng tới {to.name.vi}", f"People are sent on to {to.name.en}")
        said += ". " + words.said_in(language)
    return said + "."


def _station(network: Network, checkpoint: Checkpoint, snapshot: Snapshot, label: Label, language: str) -> str:
    counts, x, y = snapshot.place(checkpoint.id), checkpoint.x, checkpoint.y
    said = escape(say_place(network, checkpoint, snapshot, language))
    reach = RADIUS[checkpoint.kind]
    state = " plan-diverted" if checkpoint.id in snapshot.diversions else ""
    parts = [
        f'<g role="listitem" class="plan-station plan-{checkpoint.kind}{state}">'
        f'<a href="#cp-{escape(checkpoint.id)}" aria-label="{said}"><title>{said}</title>'
        f'<circle class="plan-target" cx="{x:g}" cy="{y:g}" r="{reach + 4:g}"/>'
    ]
    lines = [(text, "plan-name") for text in label.lines]
    if label.road:
        lines.append((label.road, "plan-via"))
    names = " ".join(  # with spaces between: some readers take the visible words from here
        f'<text class="{kind}" x="{label.x:g}" y="{label.y + i * LEADING:.1f}">{escape(text)}</text>'
        for i, (text, kind) in enumerate(lines)
    )
    parts.append(f'<g class="plan-label" text-anchor="{label.anchor}" aria-hidden="true">{names}</g>')
    if counts.scans:
        parts.append(f'<circle class="plan-disc" cx="{x:g}" cy="{y:g}" r="{reach - 1:g}" fill="#fff"/>')
        parts += _ring(x, y, reach - 4, counts)
        parts.append(
            f' <text class="plan-count{" plan-long" if counts.scans > 999 else ""}" x="{x:g}" y="{y + 5:g}" '
            f'text-anchor="middle" aria-hidden="true">{_short(counts.scans, language)}</text>'
        )
    else:
        parts.append(
            f'<circle class="plan-disc plan-idle" cx="{x:g}" cy="{y:g}" r="{reach * 0.45:g}" '
            'fill="#fff" stroke="#888"/>'
        )
    parts.append("</a></g>")
    return "".join(parts)


def _ring(x: float, y: float, radius: float, counts: PlaceCounts) -> list[str]:
    """The verdict mix, clockwise from the top in the order of VERDICTS; a small share stays big enough to be seen."""
    shares = {outcome: counts.verdict(outcome) for outcome in VERDICTS if counts.verdict(outcome)}
    least, gap = 14.0, 4.5 if len(shares) > 1 else 0.0
    total = sum(shares.values())
    wide = {outcome: max(least, 360 * share / total) for outcome, share in shares.items()}
    spare = 360 - sum(wide.values())  # taken from the widest
    if wide:
        wide[max(wide, key=lambda outcome: wide[outcome])] += spare
    arcs, at = [], 0.0
    for outcome, angle in wide.items():
        arc = _arc(x, y, radius, at + gap / 2, at + angle - gap / 2)
        arcs.append(f'<path class="plan-mix plan-{outcome}" d="{arc}" stroke="#888"/>')
        if outcome == "refer":  # a double line
            arcs.append(f'<path class="plan-slit" d="{arc}" stroke="#fff"/>')
        at += angle
    return arcs


def _arc(x: float, y: float, radius: float, start: float, end: float) -> str:
    """SVG path data of an arc; degrees clockwise from the top."""
    if end - start >= 359.9:
        return f"M{x:g} {y - radius:g}a{radius:g} {radius:g} 0 1 1 -.01 0Z"
    ax, ay = x + radius * sin(radians(start)), y - radius * cos(radians(start))
    bx, by = x + radius * sin(radians(end)), y - radius * cos(radians(end))
    return f"M{ax:.2f} {ay:.2f}A{radius:g} {radius:g} 0 {int(end - start > 180)} 1 {bx:.2f} {by:.2f}"


def _short(count: int, language: str) -> str:
    """A count as fits into a station: 987, 1.240, 14k."""
    return number(count, language) if count < 10_000 else f"{count / 1_000:.0f}k"


def _way_out(network: Network, diversion: Diversion) -> str:
    """The line from a diverted checkpoint along the roads to where people are sent."""
    line = way(network, diversion.checkpoint, diversion.to) if diversion.to in network.by_id and diversion.to else ()
    if not line:
        return ""
    to = network.by_id[diversion.to or ""]
    tip_x, tip_y, back = along(line[::-1], RADIUS[to.kind] + 3)
    return (
        f'<path class="plan-way" d="{rounded(shortened(line, RADIUS[to.kind] + 14))}" stroke="#0b4f8a"/>'
        f'<path class="plan-tip" d="M0 0L-17 -10V10Z" transform="translate({tip_x:.1f} {tip_y:.1f}) '
        f'rotate({back + 180:.0f})" fill="#0b4f8a"/>'
    )


def _badge(network: Network, diversion: Diversion, names: list[Box]) -> str:
    """The square with an arrow that heads where people are sent; with no target it sits at a free corner."""
    here = network.by_id[diversion.checkpoint]
    reach = RADIUS[here.kind]
    line = way(network, here.id, diversion.to) if diversion.to in network.by_id and diversion.to else ()
    if line:
        x, y, heading = along(line, reach + 12)
    else:
        corners = [(here.x + dx * reach * 0.85, here.y + dy * reach * 0.85) for dx, dy in _CORNERS]
        x, y = min(corners, key=lambda at: sum(map(Box(*at, *at).grown(13).overlap, names)))
        heading = 0.0
    return (
        f'<g class="plan-badge" transform="translate({x:.1f} {y:.1f})" aria-hidden="true">'
        '<rect x="-11" y="-11" width="22" height="22" rx="4" fill="#0b4f8a"/>'
        f'<path d="M-6 0H5M0 -5L5 0L0 5" stroke="#fff" transform="rotate({heading:.0f})"/></g>'
    )
