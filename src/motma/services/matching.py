"""Who somebody is: what they say, asked of the population register, which is told no more than it has to know.

The register compares (``matchPersonAttributes``) and exposes nothing. Only when number and birth date belong together
and the name alone differs is the name read, graded and forgotten. An unknown number costs as many questions as a known
one with another birth date: who waits for the answer learns nothing by the clock either. Whoever says only the year of
their birth is read at once: no question that compares fits it, and so every answer costs the same one question.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from motma.connectors.registry import Registry
from motma.core.errors import Unavailable
from motma.core.form import Declaration
from motma.core.identity import PENDING, YEAR, Grade, IdentityClaim, Match, RegisterRecord, compare, composed_name
from motma.core.ids import Document
from motma.core.words import Words

NOBODY = "000000000000"
"""A number of no province: asked about where there is nobody to ask about."""
_NAMESAKES_MAX = 3
_READ = ("fullName", "dateOfBirth")
_UNIDENTIFIED = Match(Grade.UNIDENTIFIED)


class Claimed(Protocol):
    """Who somebody is said to be: a declaration says so, and so does whoever gives a permit to somebody."""

    @property
    def document(self) -> Document: ...
    @property
    def guardian(self) -> Document | None: ...
    @property
    def subject(self) -> Document | None: ...
    @property
    def name(self) -> str: ...
    @property
    def birth_date(self) -> dt.date: ...
    @property
    def year_only(self) -> bool: ...
    @property
    def born(self) -> str: ...
    @property
    def sex(self) -> str: ...


class Found(msgspec.Struct, frozen=True):
    """How a claim fits, and the keys of every document under which this citizen is known from now on, the register's
    own last; none if they are not known to be somebody in particular.

    ``name`` is set where only the keys of a keyboard were typed (Nguyeenx): the letters that were meant.
    """

    match: Match
    keys: tuple[str, ...] = ()
    name: str = ""

    def read(self, declared: Declaration) -> Declaration:
        """The declaration as it was meant."""
        return msgspec.structs.replace(declared, name=self.name) if self.name else declared


class Matching:
    """The verb behind every door. Keeps nothing."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def who(self, declared: Claimed, accepts: Collection[str]) -> Found:
        """Grade a declaration; *pending* while the register is away. ``accepts`` as :func:`compare` has it."""
        try:
            return await self.ask(declared, accepts)
        except Unavailable:
            return Found(PENDING)

    async def ask(self, declared: Claimed, accepts: Collection[str]) -> Found:
        """As :meth:`who`, but raises :class:`Unavailable` ``register.unavailable`` while it is away."""
        claim = IdentityClaim(declared.document, declared.name, declared.birth_date, declared.year_only)
        if declared.document.kind == "none":
            return await self._child(claim, declared.guardian, accepts)
        uins = await self._uins(declared.document)
        # A number that several bear leads to nobody: each of them is found by their own alone.
        own = _own(declared.document) if len(uins) == 1 else ()
        found = [await self._compared(uin, claim, accepts, own) for uin in uins[:_NAMESAKES_MAX] or (NOBODY,)]
        fitting = [one for one in found if one.match.travels]
        if len(fitting) > 1:
            sure = [one for one in fitting if one.match.grade is Grade.MATCHED]
            if len(sure) != 1:
                return Found(Match(Grade.DUPLICATE, ("document.number",), YEAR if claim.year_only else None))
            fitting = sure
        return fitting[0] if fitting else found[0]

    async def _child(self, claim: IdentityClaim, guardian: Document | None, accepts: Collection[str]) -> Found:
        """Somebody without a number, through the number of who looks after them."""
        if guardian is None:
            return Found(_UNIDENTIFIED)
        for of in (await self._uins(guardian))[:_NAMESAKES_MAX] or (NOBODY,):
            born = {"guardian": of, "dateOfBirth": claim.birth_date.isoformat()}
            for uin in (await self._registry.find(born))[:_NAMESAKES_MAX] or (NOBODY,):
                found = await self._compared(uin, claim, accepts, ())
                if found.match.grade is Grade.MATCHED:
                    return found
        return Found(_UNIDENTIFIED)

    async def _uins(self, document: Document) -> Sequence[str]:
        if document.kind == "cccd":
            return (document.number,)
        if document.kind == "cmnd":
            return await self._registry.find({"oldNumber": document.number})
        return await self._registry.find({"passportNumber": document.number, "passportCountry": document.issuer})

    async def _compared(self, uin: str, claim: IdentityClaim, accepts: Collection[str], own: tuple[str, ...]) -> Found:
        """How the claim fits whom the register knows as ``uin``; ``own``: keys that lead to nobody but them."""
        if claim.year_only:
            held = await self._registry.read(uin, _READ)
            return self._graded(uin, claim, held if held is None else _record(held), accepts, own)
        said = {"fullName": claim.name, "dateOfBirth": claim.birth_date.isoformat()}
        differing = await self._registry.match(uin, said)
        if differing is None:
            return Found(compare(claim, None))
        if "dateOfBirth" in differing:
            return Found(Match(Grade.MISMATCHED, ("birth_date",)))
        if not differing:
            return Found(Match(Grade.MATCHED), _keys(own, uin))
        return self._graded(uin, claim, _record(await self._registry.read(uin, _READ) or {}), accepts, own)

    @staticmethod
    def _graded(
        uin: str, claim: IdentityClaim, record: RegisterRecord | None, accepts: Collection[str], own: tuple[str, ...]
    ) -> Found:
        """How the claim fits what was read."""
        match, name = compare(claim, record, accepts), ""
        if record and match.fits:
            composed = composed_name(claim.name, record.name)
            name = composed if composed != claim.name else ""
        known = match.travels or not claim.year_only
        return Found(match, _keys(own, uin) if known else (), name)


def _record(held: Mapping[str, str]) -> RegisterRecord:
    """What was read, to be compared. Raises :class:`Unavailable` ``register.unreadable`` for what is no person."""
    name, born = held.get("fullName", ""), held.get("dateOfBirth", "")
    try:
        date = dt.date.fromisoformat(born + "-01-01" if len(born) == 4 else born)
    except ValueError:
        raise Unavailable(
            "register.unreadable",
            Words("Dữ liệu dân cư trả lời sai mẫu.", "The population register answers in another shape."),
        ) from None
    return RegisterRecord(name, date, year_only=len(born) == 4)


def _keys(own: tuple[str, ...], uin: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*own, _key_of(uin))))


def _own(document: Document) -> tuple[str, ...]:
    return () if document.kind == "none" else (document.key,)


def _key_of(uin: str) -> str:
    """A citizen's number is that of their card."""
    return Document("cccd", uin).key if len(uin) == 12 and uin.isascii() and uin.isdigit() else f"uin::{uin}"
