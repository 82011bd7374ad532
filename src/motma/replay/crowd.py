"""Who comes: declarations of the fictional population, with the errors people make, and what must become of each.

Everything follows from the plan's seed, so that the same plan can be sent again and compared.
"""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from motma.core.flow import Network
from motma.core.form import Form, Units
from motma.core.ids import Document
from motma.core.text import fold, name_key
from motma.register.population import Person, Population

TWO_DAYS = 96_347
TWO_DAYS_MISMATCHED = 1_229
"""The first two inner-city days: 96,347 declarations, 1,229 refused "for wrong or differing information"."""

MENDED_SHARE = 0.85
"""Our assumption: of those who are told what to look at again, so many send it right a little later."""

PLATFORMS = {
    "BLUEZONE": "Bluezone",
    "NCOVI": "NCOVI",
    "TOKHAIYTE": "Vietnam Health Declaration",
    "DICUAN": "Khai báo di chuyển nội địa",
}
_PAGE_SHARE = 0.06
_SENT_TWICE_SHARE = 0.02
_AGAIN_SHARE = 0.01
_SYMPTOMS_SHARE = 0.003
_CONTACT_SHARE = 0.007

Mistake = Literal["document.number", "birth_date", "name", "tones", "word", "slip"]
"""A number nobody has, another day of birth, somebody else's name; or a name without its tones, without a word, with
one wrong letter."""

REFUSED: frozenset[Mistake] = frozenset(("document.number", "birth_date", "name"))
"""Mistakes that leave open who somebody is. With the others a code is issued that is checked by hand."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many declarations, and which people make them."""

    declarations: int = TWO_DAYS
    seed: int = 20210814

    @property
    def mismatched(self) -> int:
        """As many in proportion as did not match in the two days: these make a :data:`Mistake`."""
        return round(self.declarations * TWO_DAYS_MISMATCHED / TWO_DAYS)

    @property
    def again(self) -> int:
        """Citizens who declare a second time, on another platform: accepted, but no new citizen."""
        return round(self.declarations * _AGAIN_SHARE)


@dataclass(frozen=True, slots=True)
class Traveller:
    """One declaration as it will be sent, and what must come of it."""

    key: str
    source: str
    """A platform's id, or "page"."""
    body: dict[str, Any]
    twice: bool
    mistake: Mistake | None
    verdict: str
    """What the scan must answer; "" for somebody who is not scanned (refused, or counted under another door)."""
    checkpoint: str
    mend: "Traveller | None" = None
    """What they send a little later through the same door, with nothing wrong in it any more."""

    @property
    def outcome(self) -> Literal["accepted", "repairable", "refused"]:
        """What the declaration must be answered."""
        return "accepted" if self.mistake is None else "refused" if self.mistake in REFUSED else "repairable"


def crowd(
    plan: Plan, population: Population, form: Form, units: Units, network: Network, now: dt.datetime
) -> Iterator[Traveller]:
    """Every first declaration of the plan, in the order in which it is sent."""
    rng = random.Random(plan.seed)
    drawn = rng.sample(range(len(population)), plan.declarations - plan.again)
    wrong = set(rng.sample(range(len(drawn)), plan.mismatched))
    right = [index for index in range(len(drawn)) if index not in wrong]
    again = set(rng.sample(right, plan.again))
    communes: dict[str, list[str]] = {}
    for code, (_, province) in units.communes.items():
        communes.setdefault(province, []).append(code)
    serial = 0
    for index, drawn_index in enumerate(drawn):
        person = population.person(drawn_index)
        source = "page" if rng.random() < _PAGE_SHARE else rng.choice(list(PLATFORMS))
        body = _declaration(person, form, communes, network, now, rng)
        verdict = _fall_ill(body, form, rng)
        checkpoint = body["trip"]["checkpoints"][0]
        twice = source != "page" and rng.random() < _SENT_TWICE_SHARE
        serial += 1
        first = Traveller(f"{plan.seed}-{serial}", source, body, twice, None, verdict, checkpoint)
        if index in wrong:
            yield _mistaken(first, person, population, rng)
        elif index in again:
            # The first of two declarations of one citizen is not followed by a scan: it is one scan for each person.
            yield replace(first, verdict="")
            other = rng.choice([platform for platform in PLATFORMS if platform != source])
            serial += 1
            yield replace(first, key=f"{plan.seed}-{serial}", source=other, twice=False)
        else:
            yield first


def _mistaken(right: Traveller, person: Person, population: Population, rng: random.Random) -> Traveller:
    """``right`` as it is sent the first time, with a mistake; most of them mend it."""
    body, mistake = _err(right.body, person, population, rng)
    mend = replace(right, key=f"{right.key}-mended", twice=False) if rng.random() < MENDED_SHARE else None
    verdict = "" if mistake in REFUSED else "reject" if right.verdict == "reject" else "manual"
    return replace(right, body=body, mistake=mistake, verdict=verdict, mend=mend)


def _declaration(
    person: Person,
    form: Form,
    communes: dict[str, list[str]],
    network: Network,
    now: dt.datetime,
    rng: random.Random,
) -> dict[str, Any]:
    document = rng.choice(person.documents)
    destination = rng.choice(communes["79"])
    start = rng.choice(network.checkpoints).id
    route = [start]
    for _ in range(rng.randrange(3)):
        ahead = [there for there, _ in network.neighbours[route[-1]] if there not in route]
        if ahead:
            route.append(rng.choice(ahead))
    vehicle = rng.choices(("motorbike", "car", "truck", "bus"), (60, 22, 12, 6))[0]
    return {
        "name": person.name,
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex,
        "nationality": person.nationality,
        "document": {"kind": document.kind, "number": document.number},
        "phone": person.phone,
        "residence": {
            "province": person.residence.province,
            "commune": person.residence.commune,
            "address": person.residence.address,
        },
        "trip": {
            "origin": {"province": person.residence.province, "commune": person.residence.commune},
            "destination": {"province": "79", "commune": destination},
            "vehicle": vehicle,
            "plate": f"59{rng.choice('CDHKLNPSTX')}{rng.randrange(1, 10)}{rng.randrange(10_000, 100_000)}",
            "departs_at": (now + dt.timedelta(minutes=rng.randrange(5, 600))).isoformat(timespec="minutes"),
            "checkpoints": route,
        },
        "health": {"symptoms": {choice.id: False for choice in form.symptoms}, "contact": False, "places": ""},
        "consents": [purpose.id for purpose in form.purposes],
    }


def _fall_ill(body: dict[str, Any], form: Form, rng: random.Random) -> str:
    """A few have symptoms or were in contact; returns the verdict that a check must give."""
    drawn = rng.random()
    if drawn < _SYMPTOMS_SHARE:
        body["health"]["symptoms"][rng.choice(form.symptoms).id] = True
        return "reject"
    if drawn < _SYMPTOMS_SHARE + _CONTACT_SHARE:
        body["health"]["contact"] = True
        return "manual"
    return "accept"


def _err(
    right: dict[str, Any], person: Person, population: Population, rng: random.Random
) -> tuple[dict[str, Any], Mistake]:
    """A declaration with one of the mistakes of 2021, and which."""
    drawn = rng.random()
    if drawn < 0.25:
        return right | {"document": _unknown_number(right["document"], person, population, rng)}, "document.number"
    if drawn < 0.50 and not person.year_only:
        return right | {"birth_date": _another_day(person.birth_date, rng).isoformat()}, "birth_date"
    if drawn < 0.55:
        # By the first document: an old number may be borne by two, and then it is not the name that is told first.
        first = {"kind": person.documents[0].kind, "number": person.documents[0].number}
        return right | {"name": _another_name(person, population, rng), "document": first}, "name"
    name, mistake = _misspell(person.name, drawn, rng)
    return right | {"name": name}, mistake


def _unknown_number(
    document: dict[str, Any], person: Person, population: Population, rng: random.Random
) -> dict[str, Any]:
    while True:
        changed = document["number"][:-4] + f"{rng.randrange(10_000):04d}"
        if population.find(Document(document["kind"], changed, person.nationality)) is None:
            return document | {"number": changed}


def _another_day(born: dt.date, rng: random.Random) -> dt.date:
    """Of the same year, so that it still fits the number."""
    while True:
        day = dt.date(born.year, 1, 1) + dt.timedelta(days=rng.randrange(365))
        if day != born:
            return day


def _another_name(person: Person, population: Population, rng: random.Random) -> str:
    """The name of somebody else, at least two words of which are not this person's, whatever their marks."""
    words = set(fold(person.name).split())
    while True:
        other = population.person(rng.randrange(len(population))).name
        if len(set(fold(other).split()) - words) >= 2:
            return other


def _misspell(name: str, drawn: float, rng: random.Random) -> tuple[str, Mistake]:
    """One slip: no tones, else a word left out, else one wrong letter."""
    plain = fold(name).title()
    words = name.split(" ")
    if drawn < 0.80 and name_key(plain) != name_key(name):
        return plain, "tones"
    if drawn < 0.92 and len(words) > 2:
        return " ".join(words[:1] + words[2:]), "word"
    last = name[-1]
    if last.isascii() and last.lower() not in "aeiouy":
        return name[:-1] + ("m" if last != "m" else rng.choice("np")), "slip"
    return " ".join([*words[:-1], ("M" if words[-1][0] != "M" else "N") + words[-1][1:]]), "slip"
