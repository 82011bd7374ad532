"""Permits (giấy đi đường): the right to travel in some places for some time, of a citizen or of a vehicle.

Scope is part of the right: whoever signs one can give no more than is theirs to give, and that is settled when it is
issued. On paper a permit is a line of text in a QR (``docs/permits.md``) that nobody signed; it counts for as much as
the permit it names, if that was issued so and to whoever shows it.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec

from motma.core.errors import Invalid
from motma.core.ids import FactId, parse_fact_id, parse_plate, parse_qid
from motma.core.words import Words

Level = Literal["city", "district", "ward"]
"""Whose police signed."""

GREEN_LANE = "LX"
"""The group of vehicles on the green lane (luồng xanh)."""

LONGEST = dt.timedelta(days=366)
TEXT_MAX_CHARS = 400

Problem = Literal["permit.forged", "permit.borrowed", "permit.unproved"]
"""Why what was shown as a permit is none: it was never issued, or not so; it is another's; or it is a vehicle's, and
nobody knows in which one its bearer travels."""

_VN_TIME = dt.timezone(dt.timedelta(hours=7))
_MARK, _VERSION, _EVERYWHERE = "GDD", "1", "*"
_TIME = "%Y%m%d%H%M"
_TIME_TEXT = re.compile(r"[0-9]{12}")
_AREA_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_MINUTE = dt.timedelta(minutes=1)


class Group(msgspec.Struct, frozen=True):
    """Whom permits are for. ``unlimited``: as many as it takes. ``assumed``: what in this the published list does not
    say, and was supplied here."""

    code: str
    words: Words
    of: Literal["citizen", "vehicle"] = "citizen"
    unlimited: bool = False
    assumed: Words | None = None


class Groups(msgspec.Struct, frozen=True):
    """A published list of groups, in its order."""

    id: str
    source: Words
    groups: tuple[Group, ...]

    @property
    def by_code(self) -> dict[str, Group]:
        return {group.code: group for group in self.groups}


class Signatory(msgspec.Struct, frozen=True):
    """Whose police signed a permit: the city's, or those of the district ``area`` or of a ward in it."""

    level: Level
    area: str = ""


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """One permit. Its ``id`` is that of the fact that it was issued.

    ``areas``: ids of the network's areas, empty for all of the city. ``holder``: a QID, or the keyed hash of a plate in
    hex. Good from ``valid_from`` until before ``valid_until``, unless revoked. ``number``: what the paper is called by
    whoever signed it.
    """

    id: FactId
    group: str
    areas: tuple[str, ...]
    valid_from: dt.datetime
    valid_until: dt.datetime
    holder: str
    signed_by: Signatory
    number: str = ""
    revoked_at: dt.datetime | None = None
    reason: str = ""

    @property
    def of_vehicle(self) -> bool:
        return len(self.holder) > 18  # digits of a QID

    def covers(self, area: str | None) -> bool:
        """Whether it is for this place. A place of no area is covered by what is good everywhere."""
        return not self.areas or area in self.areas

    def lasts(self, now: dt.datetime) -> bool:
        """Whether it is for this time."""
        return self.valid_from <= now < self.valid_until

    def serves(self, area: str | None, now: dt.datetime) -> bool:
        """Whether somebody may travel on it here and now."""
        return self.revoked_at is None and self.covers(area) and self.lasts(now)


def serving(permits: Iterable[Permit], area: str | None, now: dt.datetime) -> Permit | None:
    """The permit that serves best at this place and moment.

    One that serves goes before one that does not; of several that do, the one that ends last. Of those that do not, the
    one that fails in the fewest ways, for it says most about why not: withdrawn before the wrong place, and that before
    the wrong time. None only if there are none.
    """

    def merit(permit: Permit) -> tuple[int, bool, bool, dt.datetime, bool, str]:
        failings = (permit.revoked_at is not None, not permit.covers(area), not permit.lasts(now))
        return (-sum(failings), failings[0], failings[1], permit.valid_until, not permit.areas, permit.id)

    return max(permits, key=merit, default=None)


# -- what may be issued ----------------------------------------------------------------------------------------------


def check_scope(signed_by: Signatory, areas: tuple[str, ...], known: Collection[str]) -> None:
    """Refuse a scope beyond what its signatory may give: city and district police, all of the city; ward police, their
    own district. Source: the rules of 25 August 2021 (Thanh Niên, 1439302).

    Raises :class:`Invalid` ``permit.area_unknown``, ``permit.no_district``, ``permit.beyond_signatory``.
    """
    for area in areas if not signed_by.area else (*areas, signed_by.area):
        if area not in known:
            raise Invalid(
                "permit.area_unknown",
                Words("Không có khu vực này. Chọn trong danh sách.", "There is no such area. Choose from the list."),
            )
    if signed_by.level != "ward":
        return
    if not signed_by.area:
        raise Invalid(
            "permit.no_district",
            Words(
                "Công an phường ký thì phải ghi phường ấy thuộc khu vực nào.",
                "For a permit signed by ward police, say which area the ward is in.",
            ),
        )
    if areas != (signed_by.area,):
        raise Invalid(
            "permit.beyond_signatory",
            Words(
                "Công an phường chỉ cấp được giấy đi trong khu vực của mình. Chọn đúng một khu vực đó, "
                "hoặc xin công an quận, thành phố ký.",
                "Ward police may give permits for their own area only. Choose just that area, or have district or "
                "city police sign.",
            ),
        )


def check_window(valid_from: dt.datetime, valid_until: dt.datetime) -> None:
    """Refuse a time that is none. Raises :class:`Invalid` ``permit.ends_first``, ``permit.too_long``."""
    if valid_until <= valid_from:
        raise Invalid(
            "permit.ends_first",
            Words(
                "Giấy hết hạn trước khi có hiệu lực. Xem lại hai ngày.", "It ends before it begins. Check the dates."
            ),
        )
    if valid_until - valid_from > LONGEST:
        raise Invalid(
            "permit.too_long",
            Words("Giấy chỉ được cấp tối đa 366 ngày.", "A permit may be good for 366 days at most."),
        )


# -- on paper --------------------------------------------------------------------------------------------------------


class Shown(msgspec.Struct, frozen=True):
    """What the text on a paper says. ``holder``: a QID or a plate, as it stands there."""

    id: FactId
    group: str
    areas: tuple[str, ...]
    valid_from: dt.datetime
    valid_until: dt.datetime
    holder: str


def text_of(permit: Permit, plate: str = "") -> str:
    """The text for the paper; ``plate`` is that of a vehicle's permit. Times to the minute, of Vietnam."""
    return "|".join(
        (
            f"{_MARK}{_VERSION}",
            permit.id,
            permit.group,
            ",".join(permit.areas) or _EVERYWHERE,
            f"{permit.valid_from.astimezone(_VN_TIME):{_TIME}}",
            f"{permit.valid_until.astimezone(_VN_TIME):{_TIME}}",
            plate if permit.of_vehicle else permit.holder,
        )
    )


def parse(text: str) -> Shown | None:
    """Read the text of a paper; None for what does not begin as one.

    Raises :class:`Invalid` ``permit.malformed`` for what begins so and is none: no permit of ours looks like that.
    """
    plain = text.strip().removeprefix("\ufeff")
    if not plain.startswith(_MARK) or plain[len(_MARK) : len(_MARK) + 2] != f"{_VERSION}|":
        return None
    parts = plain.split("|")
    try:
        if len(plain) > TEXT_MAX_CHARS or len(parts) != 7:
            raise ValueError(len(parts))
        _, id, group, areas, begins, ends, holder = parts
        scope = () if areas == _EVERYWHERE else tuple(areas.split(","))
        if not group.isalnum() or len(group) > 4 or not all(map(_AREA_ID.fullmatch, scope)):
            raise ValueError(group)
        is_qid = len(holder) == 18 and holder.isdigit()
        return Shown(
            parse_fact_id("prm", id),
            group,
            scope,
            _time(begins),
            _time(ends),
            parse_qid(holder) if is_qid else parse_plate(holder),
        )
    except (ValueError, Invalid):
        raise Invalid(
            "permit.malformed",
            Words("Mã trên giấy đi đường không đúng mẫu.", "The text of the permit has the wrong form."),
        ) from None


def _time(text: str) -> dt.datetime:
    if not _TIME_TEXT.fullmatch(text):
        raise ValueError("no time")
    return dt.datetime.strptime(text, _TIME).replace(tzinfo=_VN_TIME).astimezone(dt.UTC)


def judged(
    shown: Shown, permits_of_citizen: Collection[Permit] | None, found: Permit | None, *, vehicle_known: bool = True
) -> tuple[Permit | None, Problem | None]:
    """(the permit that a paper stands for, or why it is none).

    ``found`` is what was issued under the id that the paper names; ``shown.holder`` must be as ``found.holder`` is (a
    plate by its keyed hash). ``permits_of_citizen``: all of whoever shows it and of their vehicle; None if it is not
    known who that is, and then nobody can say that it is another's. ``vehicle_known``: whether their vehicle is.
    """
    if found is None or not _is_as_issued(shown, found):
        return None, "permit.forged"
    if permits_of_citizen is None:
        return None, "permit.unproved"
    if any(permit.id == found.id for permit in permits_of_citizen):
        return found, None
    return None, "permit.unproved" if found.of_vehicle and not vehicle_known else "permit.borrowed"


def _is_as_issued(shown: Shown, found: Permit) -> bool:
    def minute(at: dt.datetime) -> dt.datetime:
        return at - (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) % _MINUTE

    return (shown.id, shown.group, set(shown.areas), shown.holder) == (
        found.id,
        found.group,
        set(found.areas),
        found.holder,
    ) and (shown.valid_from, shown.valid_until) == (minute(found.valid_from), minute(found.valid_until))


WHY_NONE: Mapping[Problem, Words] = {
    "permit.forged": Words(
        "Giấy đi đường này không được cấp, hoặc đã bị sửa.", "This permit was never issued, or was altered."
    ),
    "permit.borrowed": Words("Giấy đi đường này là của người khác.", "This permit is another person's."),
    "permit.unproved": Words(
        "Chưa rõ giấy này có phải của người, của xe này không. So tên hoặc biển số ghi trên giấy.",
        "Not known whether the permit is this person's or vehicle's. Compare the name or plate on it.",
    ),
}
