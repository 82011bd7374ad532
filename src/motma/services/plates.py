"""Plates: the second way to somebody who cannot show a code and does not know their number.

For officers at work only, so often and no oftener, and written down: each look-up, and each person it brought up, who
reads of it on their own page.
"""

import datetime as dt
from collections.abc import Callable

import msgspec

from motma.core.facts import Fact, LookedUp
from motma.core.ids import FactId, Qid, new_fact_id, parse_plate
from motma.core.words import Words
from motma.services.citizens import Citizens
from motma.services.enrol import Device, TooManyGuesses
from motma.services.faces import face_of
from motma.storage.keys import Secrets
from motma.storage.store import Act, Holding, Store

LOOKUPS, LOOKUPS_PER = 20, dt.timedelta(minutes=5)
"""How often one device may ask; a checkpoint needs it for one vehicle in many."""
_PEOPLE_MAX = 60


class PlateAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plate as it was typed; spaces, dots and hyphens do no harm."""

    plate: str


class Traveller(msgspec.Struct, frozen=True):
    """Somebody whose declaration in force names the vehicle: enough to pick the one who stands there."""

    qid: Qid
    name: str
    birth_year: int
    last_four: str


class Travellers(msgspec.Struct, frozen=True):
    """Who declared that vehicle, the newest declaration first."""

    people: tuple[Traveller, ...]


class TooManyLookups(TooManyGuesses):
    """This device asked too often."""

    def __init__(self, wait: dt.timedelta) -> None:
        super().__init__(wait)
        self.code = "plate.too_often"
        self.words = Words(
            "Tra biển số quá nhiều lần. Đợi vài phút, hoặc nhập mã số, quét mã.",
            "Too many look-ups. Wait a few minutes, or type the number, or scan the code.",
        )


class Plates:
    """The officer's other verb. Found people are checked by their number, as if it had been typed."""

    def __init__(self, *, store: Store, citizens: Citizens, secrets: Secrets, random: Callable[[int], bytes]) -> None:
        self._store = store
        self._citizens = citizens
        self._secrets = secrets
        self._random = random
        self._asked: dict[str, list[dt.datetime]] = {}

    async def find(self, ask: PlateAsk, *, device: Device, officer: str, now: dt.datetime) -> Travellers:
        """Who travels in a vehicle, by declarations in force. Recorded before it is answered.

        Raises :class:`Invalid` ``plate.malformed`` or ``plate.too_often`` (:data:`LOOKUPS` in :data:`LOOKUPS_PER`).
        """
        plate = parse_plate(ask.plate)
        self._count(device.id, now)
        people: dict[Qid, Traveller] = {}
        newest: dict[Qid, Holding] = {}  # somebody who declares again and again takes nobody's place
        for holding in await self._store.holdings(plate_key(self._secrets, plate)):
            newest.setdefault(holding.qid, holding)
        for holding in list(newest.values())[:_PEOPLE_MAX]:
            standing = await self._citizens.standing(holding.qid)
            if standing is None or standing.declaration != holding.declaration or now >= standing.valid_until:
                continue
            if traveller := await self._traveller(holding.qid, standing.code):
                people[holding.qid] = traveller
        facts = [self._fact(device, officer, None, now), *(self._fact(device, officer, qid, now) for qid in people)]
        await self._store.append(Act(facts=tuple(facts)))
        return Travellers(tuple(people.values()))

    def _count(self, device: str, now: dt.datetime) -> None:
        recent = [at for at in self._asked.get(device, ()) if dt.timedelta(0) <= now - at < LOOKUPS_PER]
        self._asked[device] = recent
        if len(recent) >= LOOKUPS:
            raise TooManyLookups(recent[0] + LOOKUPS_PER - now)
        recent.append(now)  # before anything is waited for: many who ask at once are many

    async def _traveller(self, qid: Qid, code: FactId | None) -> Traveller | None:
        face = await face_of(self._store, code)
        return Traveller(qid, face.name, face.birth_date.year, face.last_four) if face else None

    def _fact(self, device: Device, officer: str, qid: Qid | None, now: dt.datetime) -> Fact:
        return Fact(
            id=new_fact_id("plk", now, self._random(10)),
            at=now,
            actor=officer,
            qid=qid,
            checkpoint=device.checkpoint,
            what=LookedUp(device.id, officer),
        )


def plate_key(secrets: Secrets, plate: str) -> bytes:
    """Under which the declarations of a vehicle are found; the store knows no plate."""
    return secrets.index("plate", plate)
