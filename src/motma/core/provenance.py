"""Where each field of a citizen came from: what every source said last, which of it is in force, and who disagrees.

Only declarations that fit the register count: whoever types somebody's number proves nothing about them. The newest of
them is in force; what it displaced stays readable, and as long as sources disagree that is a dispute. What the citizen
said on the page closes disputes: sources that spoke before it are displaced, not in dispute.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from motma.core.form import Place, Sex
from motma.core.ids import Document, FactId
from motma.core.text import name_key

PAGE = "page"
"""The source whose declarations are the citizen's own."""

FIELDS = ("name", "birth_date", "sex", "nationality", "phone", "residence")
"""What can be in dispute. Documents cannot: the register said of each that it is theirs."""


class Profile(msgspec.Struct, frozen=True):
    """Who somebody is, as one declaration says: these of its personal fields, and no others have to be opened."""

    name: str
    birth_date: dt.date
    sex: Sex
    nationality: str
    document: Document
    phone: str
    residence: Place
    year_only: bool = False


PROFILE: tuple[str, ...] = Profile.__struct_fields__


class Voice(msgspec.Struct, frozen=True):
    """What one source said last: in which declaration, when."""

    source: str
    at: dt.datetime
    declaration: FactId
    said: Profile


class Stated(msgspec.Struct, frozen=True):
    """One value of a field, and who says so since when. ``disputes``: it is not the one in force and still stands."""

    value: str
    source: str
    at: dt.datetime
    declaration: FactId
    disputes: bool = False


class Field(msgspec.Struct, frozen=True):
    """A field: the value in force, and those that other sources say instead, the newest first."""

    name: str
    in_force: Stated
    others: tuple[Stated, ...] = ()

    @property
    def in_dispute(self) -> bool:
        return any(other.disputes for other in self.others)


class Provenance(msgspec.Struct, frozen=True):
    """All fields in the order of :data:`FIELDS`, and every document with who named it."""

    fields: tuple[Field, ...]
    documents: tuple[tuple[Document, Stated], ...]

    @property
    def disputed(self) -> tuple[str, ...]:
        """The fields that sources disagree about now."""
        return tuple([field.name for field in self.fields if field.in_dispute])


def provenance(voices: Iterable[Voice]) -> Provenance | None:
    """Where each field came from, of the newest ``voices`` of all sources; None without any."""
    newest = _newest(voices)
    if not newest:
        return None
    standing = {voice.source for voice in _standing(newest)}
    fields = []
    for name in FIELDS:
        first = _most_exact(newest, name)
        others = [
            _stated(voice, name, disputes=voice.source in standing)
            for voice in newest
            if not _agree(name, voice.said, first.said)
        ]
        fields.append(Field(name, _stated(first, name), tuple(others)))
    documents: dict[Document, Stated] = {}
    for voice in newest:
        number = voice.said.document
        if number.kind != "none":
            documents.setdefault(number, Stated(number.number, voice.source, voice.at, voice.declaration))
    return Provenance(tuple(fields), tuple(documents.items()))


def disputed(source: str, said: Profile, voices: Iterable[Voice]) -> tuple[str, ...]:
    """The fields that other sources say otherwise than ``source`` does now. On the page nothing is: that is the
    citizen's own word, and the newest."""
    if source == PAGE:
        return ()
    others = [voice for voice in _standing(_newest(voices)) if voice.source != source]
    return tuple([name for name in FIELDS if any(not _agree(name, said, other.said) for other in others)])


def value_of(name: str, said: Profile) -> str:
    """A field as text."""
    if name == "birth_date":
        return f"{said.birth_date.year:04}" if said.year_only else said.birth_date.isoformat()
    if name == "residence":
        return f"{said.residence.province} {said.residence.commune} {said.residence.address}"
    return str(getattr(said, name))


def _newest(voices: Iterable[Voice]) -> list[Voice]:
    """The newest of each source, the newest first."""
    last: dict[str, Voice] = {}
    for voice in sorted(voices, key=lambda voice: (voice.at, voice.declaration)):
        last[voice.source] = voice
    return sorted(last.values(), key=lambda voice: (voice.at, voice.declaration), reverse=True)


def _standing(newest: Sequence[Voice]) -> list[Voice]:
    """Those that the citizen's own word has not displaced."""
    own = next((voice for voice in newest if voice.source == PAGE), None)
    return [voice for voice in newest if own is None or voice is own or voice.at > own.at]


def _most_exact(newest: Sequence[Voice], name: str) -> Voice:
    """Whose value is in force: the newest's; but a year takes nothing from a date of that year."""
    first = newest[0]
    if name == "birth_date" and first.said.year_only:
        dated = (voice for voice in newest if not voice.said.year_only and _agree(name, voice.said, first.said))
        return next(dated, first)
    return first


def _stated(voice: Voice, name: str, *, disputes: bool = False) -> Stated:
    return Stated(value_of(name, voice.said), voice.source, voice.at, voice.declaration, disputes)


def _agree(name: str, one: Profile, other: Profile) -> bool:
    """Whether two say the same: of an address the commune counts, since everybody writes a street in another way."""
    if name == "name":
        return one.name == other.name or name_key(one.name) == name_key(other.name)
    if name == "birth_date" and (one.year_only or other.year_only):
        return one.birth_date.year == other.birth_date.year
    if name == "residence":
        here, there = one.residence, other.residence
        return (here.province, here.commune) == (there.province, there.commune)
    return bool(getattr(one, name) == getattr(other, name))
