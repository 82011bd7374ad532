"""What the same person shows along with their code: a health certificate, a permit, any other code.

The code or the number that was scanned first says whom it is about; what is shown along is read, and never says who
somebody is. So our own codes have no place here, and what names another citizen is refused.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec

from motma.core.certificate import Certificate, best, fits
from motma.core.errors import Invalid
from motma.core.ids import Qid
from motma.core.legacy import TEXT_MAX_CHARS, read
from motma.core.legacy.reading import KIND_WORDS, Anchors, Reading, Worth
from motma.core.permit import WHY_NONE, Problem, parse
from motma.core.words import Words
from motma.services.citizens import Citizens
from motma.services.shown import CERTIFICATE_WORDS, named_by

ALONG_MAX = 2


class Along(msgspec.Struct, frozen=True):
    """Texts and what was read in them, in the order shown."""

    texts: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()

    @property
    def others(self) -> tuple[tuple[str, Reading], ...]:
        """All that is no health certificate."""
        return tuple([pair for pair in zip(self.texts, self.readings, strict=True) if pair[1].certificate is None])

    @property
    def permit(self) -> str | None:
        """The text of a travel permit, whatever that is worth."""
        return next((text for text, _ in self.others if _is_permit(text)), None)

    @property
    def reading(self) -> tuple[str, Worth] | None:
        """Of the first that is no permit: its kind, and what it is worth."""
        read = zip(self.texts, self.readings, strict=True)
        return next(((one.kind, one.worth) for text, one in read if not _is_permit(text)), None)

    def certificate(self, person: tuple[str, dt.date] | None) -> tuple[Certificate, bool] | None:
        """The health certificate that decides, and whether it bears ``person``'s name and birth date.

        While nobody is known (None), it is nobody's.
        """
        whose = person or ("", dt.date.min)
        found = best(tuple([one.certificate for one in self.readings if one.certificate]), *whose)
        return (found, fits(found, *whose)) if found else None


NOTHING = Along()
"""Nothing was."""


class SaidOf(msgspec.Struct, frozen=True):
    """One code that was shown along, in words. ``fits``: a certificate bears this person's name and birth date."""

    kind: str
    worth: Worth
    words: dict[str, str]
    fits: bool | None = None


async def read_along(
    texts: Sequence[str], *, first: str | None, qid: Qid | None, anchors: Anchors, citizens: Citizens, now: dt.datetime
) -> Along:
    """Read what was shown along with ``first``, of the citizen ``qid`` (as they go by now; None: nobody is known).

    Raises :class:`Invalid` ``check.along_*`` for too much of it, for one code twice, for a code of ours, and for what
    names another citizen.
    """
    if len(texts) > ALONG_MAX:
        raise Invalid(
            "check.along_many",
            Words(f"Chỉ quét kèm được {ALONG_MAX} mã.", f"At most {ALONG_MAX} codes can be shown along."),
        )
    if any(len(text) > TEXT_MAX_CHARS for text in texts):
        raise Invalid(
            "check.along_long",
            Words(
                "Mã quét kèm dài hơn mọi mã QR. Quét lại.", "What was shown along is longer than any QR. Scan again."
            ),
        )
    tidy = [text.strip() for text in (*texts, first or "")]
    if len(set(tidy)) < len(tidy):
        raise Invalid(
            "check.along_twice",
            Words("Mã này vừa quét rồi. Quét giấy khác.", "This code was just scanned. Scan the other paper."),
        )
    readings = []
    for text in texts:
        reading = read(text, anchors, now)
        await _refuse_who_is_somebody(reading, qid, citizens)
        readings.append(reading)
    return Along(tuple(texts), tuple(readings))


async def _refuse_who_is_somebody(reading: Reading, qid: Qid | None, citizens: Citizens) -> None:
    """A code of ours, and whatever names another citizen than ``qid``; a card also if it is nobody's, or the answer,
    which is not recorded, would say whether the person on it ever declared."""
    named = await named_by(reading, citizens.find)
    standing = await citizens.standing(named) if named else None
    if (named or reading.kind == "cccd") and qid and (standing.qid if standing else named) != qid:
        raise Invalid(
            "check.along_somebody_else",
            Words(
                "Mã quét kèm không phải của người này. Quét giấy của đúng người này; người kia kiểm tra riêng.",
                "What was shown along is not this person's. Scan their own; check anybody else by themselves.",
            ),
        )
    if reading.kind == "motma":
        raise Invalid(
            "check.along_ours",
            Words(
                "Đây là mã Một Mã, không phải giấy kèm theo. Quét giấy chứng nhận hoặc giấy đi đường.",
                "This is a Một Mã code, not a paper shown along. Scan the certificate or the permit.",
            ),
        )


def said_of(along: Along, person: tuple[str, dt.date] | None, problem: Problem | None) -> tuple[SaidOf, ...]:
    """Each code in words for the officer: of a certificate, whether it bears the name and birth date of ``person``; of
    the permit, which ``problem`` it has."""
    return tuple(
        [
            _said_of_permit(problem if text == along.permit else "permit.unproved")
            if _is_permit(text)
            else _said_of(reading, person)
            for text, reading in zip(along.texts, along.readings, strict=True)
        ]
    )


def _said_of_permit(problem: Problem | None) -> SaidOf:
    worth: Worth = "good" if problem is None else "unknown" if problem == "permit.unproved" else "broken"
    return SaidOf("permit", worth, (WHY_NONE[problem] if problem else _ISSUED)._asdict())


def _said_of(reading: Reading, person: tuple[str, dt.date] | None) -> SaidOf:
    kind, worth, certificate = KIND_WORDS[reading.kind], reading.trust.words, reading.certificate
    if certificate is None:
        return SaidOf(reading.kind, reading.worth, Words(f"{kind.vi}: {worth.vi}", f"{kind.en}: {worth.en}")._asdict())
    if reading.worth == "broken" and reading.trust.good and reading.problems:
        worth = reading.problems[0].words
    what = CERTIFICATE_WORDS[certificate.kind]
    whose, is_theirs = _NOBODY, None
    if person:
        is_theirs = fits(certificate, *person)
        whose = _THEIRS if is_theirs else _ANOTHERS
    words = Words(f"{what.vi}: {worth.vi} {whose.vi}".strip(), f"{what.en}: {worth.en} {whose.en}".strip())
    return SaidOf(reading.kind, reading.worth, words._asdict(), is_theirs)


def _is_permit(text: str) -> bool:
    """Whether a text begins as permits do; one that is then none was made up."""
    try:
        return parse(text) is not None
    except Invalid:
        return True


_ISSUED = Words("Giấy đi đường: đúng như đã cấp.", "Travel permit: as it was issued.")
_NOBODY = Words("", "")
_THEIRS = Words("Đúng tên và ngày sinh.", "Name and birth date fit.")
_ANOTHERS = Words("Tên hoặc ngày sinh khác người này.", "Name or birth date are not this person's.")
