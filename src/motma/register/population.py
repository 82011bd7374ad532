"""A fictional population, computed and never stored: the register of the demonstration, the tests and the benches.

``Population(seed, size).person(index)`` and ``.find(document)`` take the same short time for ten people and for ten
million: who somebody is follows from (seed, index) by whole-number arithmetic (splitmix64; Steele, Lea, Flood 2014).
Every number holds its index under an affine permutation, so it is turned back, the person is made again, and the whole
number is compared. The same seed gives the same people on every machine, and a larger size only adds people. Whoever
lives with somebody stands near them (:mod:`motma.register.households`), so a family is found as quickly as a person.

Nobody here can be real:

- ID numbers (CCCD) and old ones (CMND) begin with 999, a province code never given out.
- Passports are a letter, 999 and five digits: one digit more than Vietnamese ones had until 2023, and a series (B999,
  N999) far from those given out since; in the register beside numbers that begin with 999.
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
from motma.register.households import BLOCK, Block, Outline, near_name, settle

SIZE_MAX = 10_000_000
"""Seven digits of an ID number are free: six of the serial, and the last one of the birth year."""

_CMND_PEOPLE = 1_000_000  # an old number has six free digits, so later people have none
_CMND_UNTIL = 2000
_FOREIGN_EVERY = 100
_PHONE_PREFIX = "+8450"
_OTHER_PEOPLES = 8  # of 256: the Kinh are 85 %, but most of the others bear names of the same kinds
_PASSPORT_LETTERS = "CDEGKMPT"
_LETTERS_HERE = "BN"  # of passports of this country
_PASSPORT_EVERY = 16  # so many have one passport among them
_YEAR_ONLY_BEFORE = 1960  # of those born before, one in eight
_DIGITS = {"cccd": 12, "cmnd": 9, "passport": 8}
_SAME_NUMBER_GROUP = 512  # people, among whom an old number may be borne twice

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
    """Somebody who does not exist. ``name`` is in NFC, ``phone`` in E.164, ``documents`` best first.

    Where the register knows only the year of birth (``year_only``), ``birth_date`` is 1 January. ``home`` is the index
    of somebody of this household, the same for all of it; ``guardian`` the UIN of who looks after a child.
    """

    index: int
    name: str
    birth_date: dt.date
    sex: Literal["female", "male"]
    nationality: str
    documents: tuple[Document, ...]
    phone: str
    residence: Place
    home: int
    year_only: bool = False
    guardian: str | None = None

    @property
    def uin(self) -> str:
        """Unique Identity Number: the 12 digits of a Vietnamese citizen, another text for a foreigner."""
        return self.documents[0].number if self.nationality == "VN" else f"NN-{self.documents[0].number[1:]}"

    @property
    def record(self) -> RegisterRecord:
        """What a register says about them."""
        return RegisterRecord(self.name, self.birth_date, self.year_only)


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
        self._travels = _Shuffle.of(self._root + 5, SIZE_MAX // _FOREIGN_EVERY)
        self._phone = _Shuffle.of(self._root + 4, SIZE_MAX)
        self._last: tuple[int, Block] = (-1, settle([], 1))
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
        if self._is_foreign(index):
            return self._foreigner(self._outline(index))
        return self._citizen(self._block(index // BLOCK), index)

    def find(self, document: Document) -> Person | None:
        """The person who holds exactly this document, the first of them if it is an old number of two; or ``None``."""
        return next((person for person in self.holders(document) if document in person.documents), None)

    def by_uin(self, uin: str) -> Person | None:
        """The person with this UIN, or ``None``."""
        if uin.startswith("NN-"):
            found = self.holders(Document("passport", "N" + uin[3:], ""), any_letter=True)
        else:
            found = self.holders(Document("cccd", uin))
        return next((person for person in found if person.uin == uin), None)

    def holders(self, document: Document, *, any_letter: bool = False) -> tuple[Person, ...]:
        """Everybody who holds this number: nobody, one, two with an old number; two passports of two countries.

        Who issued a passport is not compared, nor its letter if ``any_letter``. Nobody is found in the same time as
        somebody: somebody else is made and compared, so that the doors before a register can be tried with this one.
        """
        digits = document.number[1:] if document.kind == "passport" else document.number
        candidates = [self.person(index % self.size) for index in self._indexes_of(document.kind, digits)]
        return tuple(
            person
            for person in candidates
            for held in person.documents
            if held.kind == document.kind and held.number[any_letter:] == document.number[any_letter:]
        )

    def wards(self, uin: str) -> tuple[Person, ...]:
        """The children whose guardian has this UIN. Raises nothing for a UIN that nobody has: they have none."""
        guardian = self.by_uin(uin)
        if guardian is None or guardian.nationality != "VN":
            return ()
        block = self._block(guardian.index // BLOCK)
        wards = [index for index, of in block.guardians.items() if of == guardian.index and index < self.size]
        return tuple(self._citizen(block, index) for index in wards)

    # -- how somebody is made -----------------------------------------------------------------------------------

    def _outline(self, index: int) -> Outline:
        # One word of 64 bits for the person, one for the name, one for the home; each bit is used once.
        who = _mix(self._root ^ index * _GAMMA)
        number = self._cccd.there(index)
        year = _YEARS_BY_LAST_DIGIT[number // 1_000_000][who & 1023]
        # Women outlive men: 42 men in a hundred of the oldest, 51 of the rest.
        return Outline(index, who, number, year, (who >> 10 & 255) < (108 if year < 1950 else 131))

    def _block(self, block: int) -> Block:
        if self._last[0] != block:  # who asks of one often asks of the neighbours next
            self._last = (block, self._settled(block))
        return self._last[1]

    def _settled(self, block: int) -> Block:
        first = block * BLOCK
        indexes = range(first, min(first + BLOCK, SIZE_MAX))  # also who is beyond the size: growing changes nobody
        outline, is_foreign = self._outline, self._is_foreign
        citizens = [outline(index) for index in indexes if not is_foreign(index)]
        return settle(citizens, bits=_mix(self._root ^ ~block))

    def _citizen(self, block: Block, index: int) -> Person:
        outline = block.people[index]
        who, year, male = outline.who, outline.year, outline.male
        born = _birth_date(who if index not in block.twins else block.people[block.twins[index]].who, year)
        # Twins are born on one day, and that is known.
        year_only = year < _YEAR_ONLY_BEFORE and (who >> 49 & 7) == 0 and not block.twins
        documents: tuple[Document, ...] = (Document("cccd", _cccd_number(outline)),)
        if (old := self._old_number(index, year)) is not None:
            documents += (Document("cmnd", f"999{old:06d}"),)
            if index % _PASSPORT_EVERY == (index // _PASSPORT_EVERY * 5 + self._root) % _PASSPORT_EVERY:
                rank = self._travels.there(index // _PASSPORT_EVERY)
                documents += (Document("passport", f"{_LETTERS_HERE[who >> 52 & 1]}999{rank:05d}", "VN"),)
        anchor = block.homes[index]
        guardian = block.guardians.get(index)
        return Person(
            index,
            self._name(block, index),
            dt.date(year, 1, 1) if year_only else born,
            "male" if male else "female",
            "VN",
            documents,
            f"{_PHONE_PREFIX}{self._phone.there(index):07d}",
            self._residence(block.people[anchor].who),
            anchor,
            year_only,
            None if guardian is None else _cccd_number(block.people[guardian]),
        )

    def _foreigner(self, outline: Outline) -> Person:
        who, index = outline.who, outline.place
        nationality, recipe = names.FOREIGN[who >> 38 & 255]
        rank = self._passport.there(index // _FOREIGN_EVERY)
        return Person(
            index,
            _spell(recipe, _mix(who)),
            _birth_date(who, outline.year),
            "male" if outline.male else "female",
            nationality,
            (Document("passport", f"{_PASSPORT_LETTERS[who >> 46 & 7]}999{rank:05d}", nationality),),
            f"{_PHONE_PREFIX}{self._phone.there(index):07d}",
            self._residence(who),
            index,
        )

    def _old_number(self, index: int, year: int) -> int | None:
        """The free digits of an old number; a few people bear the number of somebody who lives elsewhere."""
        if year > _CMND_UNTIL or index >= _CMND_PEOPLE:
            return None
        group, place = divmod(index, _SAME_NUMBER_GROUP)
        if place == self._double_place(group) + _SAME_NUMBER_GROUP // 2:
            other = index - _SAME_NUMBER_GROUP // 2
            if not self._is_foreign(other) and self._block(other // BLOCK).people[other].year <= _CMND_UNTIL:
                return self._cmnd.there(other)
        return self._cmnd.there(index)

    def _double_place(self, group: int) -> int:
        """Which of the first half of a group has a number that somebody of the second half bears too."""
        return (group * 101 + self._root) % (_SAME_NUMBER_GROUP // 2)

    def _indexes_of(self, kind: str, digits: str) -> tuple[int, ...]:
        """The only indexes that may hold this number, and some index for what is no number of ours.

        The caller compares the whole of it.
        """
        if not (digits.isascii() and digits.isdigit() and len(digits) == _DIGITS.get(kind)):
            return (int.from_bytes(digits.encode(errors="replace"), "big"),)
        if kind == "cccd":
            return (self._cccd.back(int(digits[5:])),)
        if kind == "cmnd":
            index = self._cmnd.back(int(digits[3:]))
            group, place = divmod(index, _SAME_NUMBER_GROUP)
            return (index, index + _SAME_NUMBER_GROUP // 2) if place == self._double_place(group) else (index,)
        block = self._passport.back(int(digits[3:]))
        trip = self._travels.back(int(digits[3:]))
        here = trip * _PASSPORT_EVERY + (trip * 5 + self._root) % _PASSPORT_EVERY
        return (block * _FOREIGN_EVERY + self._foreign_place(block), here)

    def _foreign_place(self, block: int) -> int:
        """Which of a hundred people is the foreigner; so they can be counted without being looked for."""
        return (block * 37 + self._root) % _FOREIGN_EVERY

    def _is_foreign(self, index: int) -> bool:
        return index % _FOREIGN_EVERY == self._foreign_place(index // _FOREIGN_EVERY)

    def _residence(self, who: int) -> Place:
        lives = _mix(_mix(who))
        province, communes = self._homes[lives & 4095]
        commune, commune_name = communes[(lives >> 12 & 0xFFFF) * len(communes) >> 16]
        return Place(province, commune, _address(commune_name, lives >> 28, south=province >= _SOUTH_FROM))

    def _name(self, block: Block, index: int) -> str:
        if index in block.twins:
            other = block.twins[index]
            return near_name(
                self._name(block, other), male=block.people[other].male, bits=block.people[index].who >> 56
            )
        outline = block.people[index]
        called = _mix(outline.who)
        generation = 0 if outline.year < 1960 else 1 if outline.year < 1985 else 2
        if _of_other_peoples(called):
            recipes = names.HIM_OTHER_PEOPLES if outline.male else names.HER_OTHER_PEOPLES
            return _spell(recipes[called >> 8 & 255], called >> 20)
        recipe = (names.HIM if outline.male else names.HER)[generation][called >> 8 & 255]
        father = block.fathers.get(index)
        family = (self._family(block.people[father].who) if father is not None else "") or self._family(outline.who)
        return f"{family} {_spell(recipe, called >> 16)}"

    def _family(self, who: int) -> str:
        """A family name; "" for who bears none that a child of the Kinh could have."""
        called = _mix(who)
        if _of_other_peoples(called):
            return ""
        south = self._homes[_mix(called) & 4095][0] >= _SOUTH_FROM
        return (names.FAMILIES_SOUTH if south else names.FAMILIES_NORTH)[called >> 52]


def _cccd_number(outline: Outline) -> str:
    century_sex = (0 if outline.male else 1) + (2 if outline.year >= 2000 else 0)
    return f"999{century_sex}{outline.year % 100:02d}{outline.number % 1_000_000:06d}"


def _of_other_peoples(called: int) -> bool:
    return (called & 255) < _OTHER_PEOPLES


def _birth_date(who: int, year: int) -> dt.date:
    days = 366 if year % 4 == 0 else 365  # 2000 was a leap year too, and 1900 is not among them
    return dt.date.fromordinal(dt.date(year, 1, 1).toordinal() + ((who >> 18 & 0xFFFFF) * days >> 20))


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
