"""What was held up at a checkpoint: our code, a typed number, or any other code in somebody's pocket.

Ours is verified. A card, or the unsigned code of 2021, only says whose declaration to look for. Every other code is
said to be what it is, and decides nothing.
"""

import datetime as dt
from collections.abc import Awaitable, Callable

import msgspec

from motma.core.code import Keyring, VerifiedCode, verify_code
from motma.core.errors import Invalid
from motma.core.ids import Document, Qid, parse_document, parse_qid
from motma.core.legacy import read
from motma.core.legacy.reading import KIND_WORDS, Anchors, DccAnchor, Reading, Worth
from motma.core.words import Words


class Shown(msgspec.Struct, frozen=True):
    """Whom it is about, if it says so, and how that is known.

    ``code`` if it is ours and verified, ``problem`` the reason why it tells nothing; ``plain`` if it names somebody
    without a signature. ``other``: what it is instead of ours, and what it is worth, in words; ``worth`` in a word.
    """

    carrier: str
    qid: Qid | None = None
    code: VerifiedCode | None = None
    problem: str | None = None
    plain: bool = False
    other: tuple[Words, Words] | None = None
    worth: Worth | None = None


CERTIFICATE_WORDS = {
    "vaccination": Words("Chứng nhận tiêm chủng", "Vaccination certificate"),
    "test": Words("Chứng nhận xét nghiệm", "Test certificate"),
    "recovery": Words("Chứng nhận khỏi bệnh", "Recovery certificate"),
}

FindCitizen = Callable[[Document], Awaitable[Qid | None]]
"""Whose declaration names this document."""


def typed(qid: str) -> Shown:
    """A number from the pad. Raises :class:`Invalid` ``qid.*``."""
    return Shown("qid", parse_qid(qid))


async def scanned(
    text: str, keyring: Keyring, find: FindCitizen, now: dt.datetime, signers: tuple[DccAnchor, ...] = ()
) -> Shown:
    """The text of any code; ``signers`` are whom we believe about health certificates."""
    try:
        code = verify_code(text, keyring)
    except Invalid as invalid:
        reading = read(text, Anchors(ours=keyring, dcc=signers), now)
        if reading.kind in ("motma", "unknown"):
            return Shown("code", problem=invalid.code)
        return await _other(reading, find)
    return Shown("code", code.claims.qid, code)


async def named_by(reading: Reading, find: FindCitizen) -> Qid | None:
    """The number of the citizen whom any code names, whoever signed it."""
    try:
        return await _named(reading, find) if reading.kind in ("motma", "national_v1_1", "cccd") else None
    except Invalid:
        return None


async def _other(reading: Reading, find: FindCitizen) -> Shown:
    what = (_kind_words(reading), reading.trust.words)
    if reading.kind not in ("national_v1_1", "cccd"):
        return Shown(reading.kind, problem="code.other_kind", other=what, worth=reading.worth)
    try:
        qid = await _named(reading, find)
    except Invalid:  # masked, cut off, or a number of another system
        return Shown(reading.kind, problem="code.other_kind", other=what, worth=reading.worth)
    return Shown(reading.kind, qid, plain=True, other=what, worth=reading.worth)


async def _named(reading: Reading, find: FindCitizen) -> Qid | None:
    if reading.kind == "cccd":
        return await find(parse_document("cccd", _said(reading, "document_number")))
    return parse_qid(_said(reading, "qid"))


def _kind_words(reading: Reading) -> Words:
    """What kind of code it is; of a certificate, also what it is about."""
    kind = KIND_WORDS[reading.kind]
    if reading.certificate is None:
        return kind
    about = CERTIFICATE_WORDS[reading.certificate.kind]
    return Words(f"{kind.vi}, {about.vi.lower()}", f"{kind.en}, {about.en.lower()}")


def _said(reading: Reading, field: str) -> str:
    said = reading.fields.get(field, "")
    return said if isinstance(said, str) else ""
