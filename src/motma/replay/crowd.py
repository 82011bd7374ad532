"""Who comes: declarations of the fictional population, with the errors people make, and what must become of each.

Everything follows from the plan's seed, so that the same plan can be sent again and compared.
"""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from motma.core.flow import Network
from motma.core.form import Form, Units
from motma.core.ids import Document
from motma.core.text import fold, name_key
from motma.register.population import Person, Population

TWO_DAYS = 96_347
TWO_DAYS_MISMATCHED = 1_229
"""The first two inner-city days: 96,347 declarations, 1,229 refused "for wrong or differing information"."""

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

Refusal = Literal["name", "birth_date", "document.number"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many declarations, and which people make them."""

    declarations: int = TWO_DAYS
    seed: int = 20210814

    @property
    def mismatched(self) -> int:
        """As many in proportion as did not match in the two days."""
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
    refusal: Refusal | None
    verdict: str
    """What the scan must answer; "" for somebody who is not scanned (refused, or counted under another door)."""
    checkpoint: str


def crowd(
    plan: Plan, population: Population, form: Form, units: Units, network: Network, now: dt.datetime
) -> Iterator[Traveller]:
    """Every declaration of the plan, in the order in which it is sent."""
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
        refusal = _err(body, person, population, rng) if index in wrong else None
        checkpoint = body["trip"]["checkpoints"][0]
        twice = source != "page" and rng.random() < _SENT_TWICE_SHARE
        serial += 1
        if index not in again:
            scanned = "" if refusal else verdict
            yield Traveller(f"{plan.seed}-{serial}", source, body, twice, refusal, scanned, checkpoint)
            continue
        # The first of two declarations of one citizen is not followed by a scan: it is one scan for each person.
        yield Traveller(f"{plan.seed}-{serial}", source, body, twice, None, "", checkpoint)
        other = rng.choice([platform for platform in PLATFORMS if platform != source])
        serial += 1
        yield Traveller(f"{plan.seed}-{serial}", other, body, False, None, verdict, checkpoint)


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


def _err(body: dict[str, Any], person: Person, population: Population, rng: random.Random) -> Refusal:
    """Make one of the mistakes of 2021: a number nobody has, a wrong day of birth, a name that differs."""
    drawn = rng.random()
    if drawn < 0.25:
        while True:
            number = body["document"]["number"]
            changed = number[:-4] + f"{rng.randrange(10_000):04d}"
            if population.find(Document(body["document"]["kind"], changed, person.nationality)) is None:
                body["document"]["number"] = changed
                return "document.number"
    if drawn < 0.50:
        born = person.birth_date
        while born == person.birth_date:  # the same year, so that it still fits the number
            born = dt.date(born.year, 1, 1) + dt.timedelta(days=rng.randrange(365))
        body["birth_date"] = born.isoformat()
        return "birth_date"
    body["name"] = _misspell(person.name, drawn, rng)
    return "name"


def _misspell(name: str, drawn: float, rng: random.Random) -> str:
    plain = fold(name).title()
    words = name.split(" ")
    if drawn < 0.75 and name_key(plain) != name_key(name):
        return plain
    if drawn < 0.90 and len(words) > 2:
        return " ".join(words[:1] + words[2:])
    return name[:-1] + ("m" if name[-1] != "m" else "p") + rng.choice(("", "h"))
