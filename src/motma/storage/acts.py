"""What is written together, and how it looks in a row: acts, their answers, and facts sealed and unsealed.

Everything about an act that does not depend on what is stored already is worked out here, by the caller, before it
joins a batch: an act that cannot be written is refused before it can hurt its neighbours.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from motma.core.errors import Invalid
from motma.core.facts import Fact, Standing, What
from motma.core.fold import Tally, tallies
from motma.core.ids import FactId, Qid, same_moment_id
from motma.core.permit import Permit
from motma.core.words import Words
from motma.storage.seal import Seal

Row = tuple[Any, ...]
"""One row, in the order of its table's columns."""


class Holding(msgspec.Struct, frozen=True):
    """The browser whose wallet hashes to ``wallet`` made ``declaration`` of ``qid`` at ``at`` and may show its code."""

    wallet: bytes
    qid: Qid
    declaration: FactId
    at: datetime


class Credential(msgspec.Struct, frozen=True):
    """Something that opens a door, known here by its ``hash`` only: a device, a session, a platform's key."""

    hash: bytes
    kind: str
    subject: str
    scope: dict[str, str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class Act(msgspec.Struct, frozen=True):
    """Everything one person did: written in one transaction, or not at all.

    ``once`` are (key, value) claims: the first to claim a key keeps it for good. ``still`` are standings that the act
    was made from: if one of them has changed since, nothing is written. A holding or a credential that is
    there already is replaced (that is how a credential is revoked).
    """

    facts: tuple[Fact, ...] = ()
    once: tuple[tuple[bytes, str], ...] = ()
    holdings: tuple[Holding, ...] = ()
    credentials: tuple[Credential, ...] = ()
    still: tuple[Standing, ...] = ()


class Appended(msgspec.Struct, frozen=True):
    """The act is committed and on disk."""


class Already(msgspec.Struct, frozen=True):
    """Nothing of the act was written: these ids exist, these keys are held, each with the value given here; with
    neither, a standing that it was made from has changed, or it declares under a number that goes by another now."""

    facts: frozenset[FactId]
    once: dict[bytes, str]


class Stale(msgspec.Struct, frozen=True):
    """Nothing was written: seal key ``number`` has taken the place of the one that the act was sealed with."""

    number: int


Outcome = Appended | Already | Stale
APPENDED = Appended()


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """An act as rows, complete but for ``seq`` and for what follows from the rows stored before it."""

    act: Act
    facts: tuple[Row, ...]
    """Columns of ``facts`` without the first, ``seq``."""
    tallies: tuple[Tally, ...]
    holdings: tuple[Row, ...]
    credentials: tuple[Row, ...]
    seal: int = 0
    """The number of the key that sealed its personal parts; 0 if it has none."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder().encode
_decode_what = msgspec.json.Decoder(What).decode
_decode_standing = msgspec.json.Decoder(Standing).decode
_decode_permit = msgspec.json.Decoder(Permit).decode
_decode_scope = msgspec.json.Decoder(dict[str, str]).decode
_kind_of: Mapping[type, str] = {kind: kind.__struct_config__.tag for kind in What.__args__}


def to_micros(at: datetime) -> int:
    """Microseconds since 1970-01-01 UTC. Raises :class:`Invalid` ``storage.time`` for a time without a zone."""
    if at.tzinfo is None:
        raise unwritable("storage.time")
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def to_time(micros: int) -> datetime:
    """The inverse of :func:`to_micros`, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def prepare(act: Act, seal: Seal, now: datetime) -> Prepared:
    """The act as rows. Raises :class:`Invalid` ``storage.*`` for what a database could not keep or give back."""
    recorded_at = to_micros(now)
    counts = [tally for fact in act.facts for tally in tallies(fact)]
    for tally in counts:
        _check(tally.place, tally.kind, tally.outcome)
    if len(act.facts) > 1 and len({fact.id for fact in act.facts}) < len(act.facts):
        raise unwritable("storage.same_id_twice")
    if len(act.once) > 1 and len(dict(act.once)) < len(set(act.once)):
        raise unwritable("storage.same_key_twice")
    for _, value in act.once:
        _check(value)
    # Asked for first: a key that takes its place meanwhile makes the act stale once too often, never once too rarely.
    number = seal.number() if any(fact.personal is not None for fact in act.facts) else 0
    return Prepared(
        act,
        tuple([_fact_row(fact, seal, recorded_at) for fact in act.facts]),
        tuple(counts),
        tuple([(holding.wallet, holding.declaration, holding.qid, to_micros(holding.at)) for holding in act.holdings]),
        tuple([_credential_row(credential) for credential in act.credentials]),
        number,
    )


def _fact_row(fact: Fact, seal: Seal, recorded_at: int) -> Row:
    body = _encode(fact.what)
    # Facts are for ever, so what could not be read back (a NaN, say) must not get in.
    try:
        same = _decode_what(body) == fact.what
    except msgspec.ValidationError:
        same = False
    if not same:
        raise unwritable("storage.fact")
    _check(fact.id, fact.qid or "", fact.checkpoint or "", fact.actor)
    return (
        fact.id,
        fact.qid,
        _kind_of[type(fact.what)],
        fact.checkpoint,
        to_micros(fact.at),
        recorded_at,
        fact.actor,
        body.decode(),
        None if fact.personal is None else seal.close(fact.personal, fact.id),
    )


def fact_of(row: Row, seal: Seal | None = None, only: Collection[str] | None = None) -> Fact:
    """A fact from (id, qid, checkpoint, at, actor, body, sealed). Without ``seal`` its personal part stays None.

    ``only`` these members of the personal part are opened; of none it stays None as well.
    """
    id, qid, checkpoint, at, actor, body, sealed = row
    return Fact(
        id=id,
        at=to_time(at),
        actor=actor,
        what=_decode_what(body),
        qid=qid,
        checkpoint=checkpoint,
        personal=seal.open(sealed, id, only) if seal and sealed is not None and only != () else None,
    )


def standing_row(standing: Standing, seq: int) -> Row:
    """``seq`` is that of the fact which made the standing what it is.

    The columns beside the body are for finding who is still to be matched: by their newest declaration.
    """
    return (
        standing.qid,
        str(standing.newest.grade),
        to_micros(standing.newest.declared_at),
        to_micros(standing.valid_until),
        seq,
        _encode(standing).decode(),
    )


def standing_of(body: str) -> Standing:
    return _decode_standing(body)


def permit_row(permit: Permit) -> Row:
    return (permit.id, permit.holder, _encode(permit).decode())


def facts_of_permit(id: str) -> tuple[str, str]:
    """The ids of all facts that there can be about a permit, in the order in which they happen."""
    return id, same_moment_id("prr", FactId(id))


def permit_of(body: str) -> Permit:
    return _decode_permit(body)


def _credential_row(credential: Credential) -> Row:
    _check(credential.kind, credential.subject)
    return (
        credential.hash,
        credential.kind,
        credential.subject,
        _encode(credential.scope).decode(),
        to_micros(credential.created_at),
        None if credential.expires_at is None else to_micros(credential.expires_at),
        None if credential.revoked_at is None else to_micros(credential.revoked_at),
    )


def credential_of(row: Row) -> Credential:
    hash, kind, subject, scope, created_at, expires_at, revoked_at = row
    return Credential(
        hash,
        kind,
        subject,
        _decode_scope(scope),
        to_time(created_at),
        None if expires_at is None else to_time(expires_at),
        None if revoked_at is None else to_time(revoked_at),
    )


def _check(*texts: str) -> None:
    """PostgreSQL keeps no NUL and neither engine keeps half a character; both engines shall refuse alike."""
    for text in texts:
        if "\x00" in text or not (text.isascii() or _is_whole(text)):
            raise unwritable("storage.text")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def unwritable(code: str) -> Invalid:
    """The act cannot be kept: a mistake of the caller's, and never to be mended by trying again."""
    return Invalid(
        code,
        Words(
            "Có nội dung không thể lưu. Báo cho người vận hành.",
            "There is content that cannot be stored. Tell the operator.",
        ),
    )
