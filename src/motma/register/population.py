"""A fictional population, computed and never stored: the register of the demonstration, the tests and the benches.

``Population(seed, size).person(index)`` and ``.find(document)`` take the same short time for ten people and for ten
million: who somebody is follows from (seed, index) by whole-number arithmetic (splitmix64; Steele, Lea, Flood 2014).
Every number holds its index under an affine permutation, so it is turned back, the person is made again, and the whole
number is compared. The same seed gives the same people on every machine, and a larger size only adds people.

Nobody here can be real:

- ID numbers (CCCD) and old ones (CMND) begin with 999, a province code never given out.
- Passports are a letter, 999 and five digits, beside nationalities other than Vietnamese.
- Phones begin with 050. Vietnam keeps no range for fiction, but 050 is allotted to no mobile operator, the area codes
  that began so (0500-0511) were withdrawn in 2017, and libphonenumber calls such numbers invalid. Should it be allotted
  one day, change ``_PHONE_PREFIX``; nothing is sent to these people's phones meanwhile.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import msgspec

from motma.core.form import Place
from motma.core.identity import RegisterRecord
from motma.core.ids import Document
from motma.forms import load_units
from motma.register import names

SIZE_MAX = 10_000_000
"""Seven digits of an ID number are free: six of the serial, and the last one of the birth year."""

_CMND_PEOPLE = 1_000_000  # an old number has six free digits, so later people have none
_CMND_UNTIL = 2000
_FOREIGN_EVERY = 100
_PHONE_PREFIX = "+8450"
_OTHER_PEOPLES = 8  # of 256: the Kinh are 85 %, but most of the others bear names of the same kinds
_PASSPORT_LETTERS = "CDEGKMPT"

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15

# People alive by year of birth, in thousands, from the first year on (2019 census, projected to 2025, rounded).
_PYRAMID = (
    (1930, 60), (1935, 130), (1940, 250), (1945, 450), (1950, 750), (1955, 1050), (1960, 1250), (1965, 1300),
    (1970, 1350), (1975, 1450), (1980, 1700), (1985, 1800), (1990, 1650), (1995, 1350), (2000, 1300), (2005, 1450),
    (2010, 1600), (2015, 1550), (2020, 1350),
)  # fmt: skip
_YEARS = [(year, max(share for start, share in _PYRAMID if start == year - year % 5)) for year in range(1930, 2025)]
_YEARS.append((2025, 1350))
_YEARS_BY_LAST_DIGIT = tuple(
    names.spread([(year, share) for year, share in _YEARS if year % 10 == digit], 1024) for digit in range(10)
)

# Thousands of people by province of 2025 (Resolution 202/2025/QH15).
_PEOPLE_IN = {
    "01": 8807, "04": 573, "08": 1866, "11": 673, "12": 513, "14": 1405, "15": 1779, "19": 1800, "20": 881,
    "22": 1497, "24": 3619, "25": 4022, "31": 4665, "33": 3568, "37": 4412, "38": 4324, "40": 3831, "42": 1623,
    "44": 1871, "46": 1432, "48": 3066, "51": 2162, "52": 3583, "56": 2244, "66": 3346, "68": 3872, "75": 4491,
    "79": 14002, "80": 3254, "82": 4370, "86": 4257, "91": 4952, "92": 4199, "96": 2606,
}  # fmt: skip
_SOUTH_FROM = "46"


class Person(msgspec.Struct, frozen=True):
    """Somebody who does not exist. ``name`` is in NFC, ``phone`` in E.164, ``documents`` best first."""

    index: int
    name: str
    birth_date: dt.date
    sex: Literal["female", "male"]
    nationality: str
    documents: tuple[Document, ...]
    phone: str
    residence: Place

    @property
    def uin(self) -> str:
        """Unique Identity Number: the 12 digits of a Vietnamese citizen, another text for a foreigner."""
        return self.documents[0].number if self.nationality == "VN" else f"NN-{self.documents[0].number[1:]}"

    @property
    def record(self) -> RegisterRecord:
        """What a register says about them."""
        return RegisterRecord(self.name, self.birth_date, documents=self.documents)


@dataclass(frozen=True, slots=True)
class _Shuffle:
    """A permutation of 0..modulus-1 (a power of ten) and its inverse: x -> factor * x + shift."""

    modulus: int
    factor: int
    shift: int
    inverse: int

    @classmethod
    def of(cls, seed: int, modulus: int) -> "_Shuffle":
        word = _mix(seed)
        # Neither near 0 nor near the modulus, so neighbours land far apart; ending so, it is coprime to 10.
        factor = (modulus * 3 // 10 + word % (modulus * 4 // 10)) // 10 * 10 + (1, 3, 7, 9)[word >> 62]
        return cls(modulus, factor, _mix(word) % modulus, pow(factor, -1, modulus))

    def there(self, index: int) -> int:
        return (index * self.factor + self.shift) % self.modulus

    def back(self, number: int) -> int:
        return (number - self.shift) * self.inverse % self.modulus


def _mix(number: int) -> int:
    """64 well-stirred bits: the step of splitmix64 from ``number``."""
    number = (number + _GAMMA) & _MASK
    number = ((number ^ number >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ number >> 27) * 0x94D049BB133111EB) & _MASK
    return number ^ number >> 31


class Population:
    """``size`` people (1 to 10,000,000) with indexes from 0; about one in a hundred is a foreigner."""

    def __init__(self, seed: int, size: int) -> None:
        if not 1 <= size <= SIZE_MAX:
            raise ValueError(f"size must lie between 1 and {SIZE_MAX}")
        self.seed, self.size = seed, size
        self._root = _mix(seed & _MASK)
        self._cccd = _Shuffle.of(self._root + 1, SIZE_MAX)
        self._cmnd = _Shuffle.of(self._root + 2, _CMND_PEOPLE)
        self._passport = _Shuffle.of(self._root + 3, SIZE_MAX // _FOREIGN_EVERY)
        self._phone = _Shuffle.of(self._root + 4, SIZE_MAX)
        units = load_units()
        communes = {province: tuple(units.communes_of(province).items()) for province in units.provinces}
        shares = [((province, communes[province]), _PEOPLE_IN[province]) for province in units.provinces]
        self._homes = names.spread(shares, 4096)

    def __len__(self) -> int:
        return self.size

    def person(self, index: int) -> Person:
        """The person at ``index``; raises :class:`IndexError` outside 0..size-1."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        # One word of 64 bits for the person, one for the name, one for the home; each bit is used once.
        who = _mix(self._root ^ index * _GAMMA)
        called = _mix(who)
        lives = _mix(called)
        number = self._cccd.there(index)
        year = _YEARS_BY_LAST_DIGIT[number // 1_000_000][who & 1023]
        # Women outlive men: 42 men in a hundred of the oldest, 51 of the rest.
        male = (who >> 10 & 255) < (108 if year < 1950 else 131)
        first_day = dt.date(year, 1, 1).toordinal()
        days = 366 if year % 4 == 0 else 365  # 2000 was a leap year too, and 1900 is not among them
        born = dt.date.fromordinal(first_day + ((who >> 18 & 0xFFFFF) * days >> 20))
        province, communes = self._homes[lives & 4095]
        commune, commune_name = communes[(lives >> 12 & 0xFFFF) * len(communes) >> 16]
        if self._is_foreign(index):
            nationality, recipe = names.FOREIGN[who >> 38 & 255]
            name = _spell(recipe, called)
            letter = _PASSPORT_LETTERS[who >> 46 & 7]
            rank = self._passport.there(index // _FOREIGN_EVERY)
            documents: tuple[Document, ...] = (Document("passport", f"{letter}999{rank:05d}", nationality),)
        else:
            nationality = "VN"
            name = self._vietnamese_name(male, year, called, south=province >= _SOUTH_FROM)
            century_sex = (0 if male else 1) + (2 if year >= 2000 else 0)
            documents = (Document("cccd", f"999{century_sex}{year % 100:02d}{number % 1_000_000:06d}"),)
            if year <= _CMND_UNTIL and index < _CMND_PEOPLE:
                documents += (Document("cmnd", f"999{self._cmnd.there(index):06d}"),)
        return Person(
            index,
            name,
            born,
            "male" if male else "female",
            nationality,
            documents,
            f"{_PHONE_PREFIX}{self._phone.there(index):07d}",
            Place(province, commune, _address(commune_name, lives >> 28, south=province >= _SOUTH_FROM)),
        )

    def find(self, document: Document) -> Person | None:
        """The person who holds exactly this document, or ``None``."""
        index = self._index_of(document)
        if index is None or not 0 <= index < self.size:
            return None
        person = self.person(index)
        return person if document in person.documents else None

    def by_uin(self, uin: str) -> Person | None:
        """The person with this UIN, or ``None``."""
        if uin.startswith("NN-"):
            index = self._index_of(Document("passport", "N" + uin[3:], ""))
            person = self.person(index) if index is not None and 0 <= index < self.size else None
            return person if person and person.uin == uin else None
        return self.find(Document("cccd", uin))

    def holders(self, document: Document) -> tuple[Person, ...]:
        """Everybody who holds this number; a passport without an issuer is anybody's."""
        index = self._index_of(document)
        if index is None or not 0 <= index < self.size:
            return ()
        person = self.person(index)
        return (person,) if any(held.number == document.number for held in person.documents) else ()

    def _index_of(self, document: Document) -> int | None:
        """The only index that may hold this number; the caller compares the rest of it."""
        kind, number = document.kind, document.number
        digits = number[1:] if kind == "passport" else number
        if not (digits.startswith("999") and digits.isascii() and digits.isdigit()):
            return None
        if kind == "cccd" and len(digits) == 12:
            return self._cccd.back(int(digits[5:]))
        if kind == "cmnd" and len(digits) == 9:
            return self._cmnd.back(int(digits[3:]))
        if kind == "passport" and len(digits) == 8:
            block = self._passport.back(int(digits[3:]))
            return block * _FOREIGN_EVERY + self._foreign_place(block)
        return None

    def _foreign_place(self, block: int) -> int:
        """Which of a block's hundred people is the foreigner; so they can be counted without being looked for."""
        return (block * 37 + self._root) % _FOREIGN_EVERY

    def _is_foreign(self, index: int) -> bool:
        return index % _FOREIGN_EVERY == self._foreign_place(index // _FOREIGN_EVERY)

    @staticmethod
    def _vietnamese_name(male: bool, year: int, bits: int, *, south: bool) -> str:
        if (bits & 255) < _OTHER_PEOPLES:
            recipes = names.HIM_OTHER_PEOPLES if male else names.HER_OTHER_PEOPLES
            return _spell(recipes[bits >> 8 & 255], bits >> 20)
        generation = 0 if year < 1960 else 1 if year < 1985 else 2
        recipe = (names.HIM if male else names.HER)[generation][bits >> 8 & 255]
        family = (names.FAMILIES_SOUTH if south else names.FAMILIES_NORTH)[bits >> 52]
        return f"{family} {_spell(recipe, bits >> 16)}"


def _spell(recipe: names.Recipe, bits: int) -> str:
    """A word from each wheel, by eight bits each; a word is not said twice in a row."""
    words: list[str] = []
    for wheel in recipe:
        word = wheel[bits & 255]
        bits >>= 8
        if not words or words[-1] != word:
            words.append(word)
    return " ".join(words)


def _address(commune: str, bits: int, *, south: bool) -> str:
    number = 1 + (bits & 255)
    if commune.startswith("Phường"):
        return f"Số {number}, đường {names.STREETS[bits >> 8 & 255]}"
    return f"{'Ấp' if south else 'Thôn'} {1 + number % 15}, tổ {1 + (bits >> 8 & 7)}"
