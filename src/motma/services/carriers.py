"""Carriers: what a code is carried by. For a screen that proves itself live, and for paper, the code gets a twin.

A twin says what the code says and is good for as long: prints and pictures keep working. All that a key made in the
holder's browser adds is that the screen can prove itself live (``docs/code-format.md``, step 9); losing it takes only
that away. The twin on paper says that it is on paper.
"""

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from weakref import WeakValueDictionary

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from motma.core.claims import Carrier
from motma.core.errors import Conflict, Hidden, Invalid, Unavailable
from motma.core.facts import Accepted, Fact, Holder, Issued
from motma.core.form import Declaration
from motma.core.ids import FactId, Qid, twin_id, twins_begin
from motma.core.legacy.national import write_v1_1
from motma.core.legacy.ours import unverified
from motma.core.words import Words
from motma.services.afterwards import declared_as_corrected, numbers_of
from motma.services.board import BoardReader
from motma.services.citizens import Citizens
from motma.services.codes import CodeOffice, Due
from motma.storage.keys import Secrets
from motma.storage.store import Act, Already, Holding, Store

KEYS_A_DAY = 10
"""How many keys may be bound into the codes of one declaration in 24 hours: browsers lose them, but not that often."""

_POINT_SIZES = (33, 65)


async def codes_of(store: Store, holding: Holding) -> list[Fact]:
    """The codes issued on a browser's own declaration, newest first, without their personal part."""
    numbers, _ = await numbers_of(store, holding.qid)
    issued: list[Fact] = []
    for number in reversed(numbers):  # what was issued since a merge stands under the number they go by now
        issued += await store.facts_about(number, kinds=("code.issued",), newest_first=True)
    return [fact for fact in issued if isinstance(fact.what, Issued) and fact.what.declaration == holding.declaration]


async def holding_of(store: Store, wallet: bytes, qid: Qid) -> Holding | None:
    """The newest declaration of this browser for the citizen with the number ``qid``, whichever of theirs it got."""
    for holding in await store.holdings(wallet):
        if qid in (await numbers_of(store, holding.qid))[0]:
            return holding
    return None


def read_point(raw: bytes) -> bytes:
    """The compressed form (33 bytes) of a P-256 point given compressed or not. Raises :class:`Invalid` ``live.key``."""
    try:
        if len(raw) not in _POINT_SIZES:
            raise ValueError
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        raise Invalid(
            "live.key",
            Words("Khóa gửi lên không phải khóa P-256.", "What was sent is not a public key on the curve P-256."),
        ) from None
    return public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


class Carriers:
    """The holder's verb."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        citizens: Citizens,
        codes: CodeOffice,
        secrets: Secrets,
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._board = board
        self._citizens = citizens
        self._codes = codes
        self._secrets = secrets
        self._random = random
        self._binding: WeakValueDictionary[FactId, asyncio.Lock] = WeakValueDictionary()

    async def bind(self, wallet: bytes, qid: Qid, key: bytes, now: dt.datetime) -> str:
        """Bind ``key`` (a P-256 point of 33 or 65 bytes) into the code that ``wallet`` holds of ``qid``; its text.

        The same key again gives the same code. Raises :class:`Invalid` ``live.key``, :class:`Hidden` ``code.hidden``
        for a code that this browser does not hold, :class:`Conflict` ``live.over`` for one that is not good any more
        and ``live.too_many`` after :data:`KEYS_A_DAY` keys.
        """
        point = read_point(key)
        holding = await holding_of(self._store, wallet, qid)
        issued = await codes_of(self._store, holding) if holding else []
        base = next((fact for fact in issued if _is_plain(fact)), None)
        if holding is None or base is None:
            raise Hidden("code.hidden", Words("Không có mã này trên máy này.", "This code is not on this device."))
        # A code that was issued anew, after a late match, is another one: the key is bound into that as well.
        once = self._secrets.index("live", f"{base.id} {point.hex()}")
        if held := await self._store.holder(once):
            return await self._text(FactId(held))
        async with self._binding.setdefault(holding.declaration, asyncio.Lock()):  # or many at once would all count few
            issued = await codes_of(self._store, holding)
            recent = [one for one in issued if isinstance(one.what, Issued) and one.what.live and one.at > now - _DAY]
            if len(recent) >= KEYS_A_DAY:
                raise Conflict(
                    "live.too_many",
                    Words(
                        "Mã này đã đổi khóa quá nhiều lần hôm nay. Mã tĩnh vẫn dùng được; mai thử lại.",
                        "This code changed its key too often today. The static code still works; try again tomorrow.",
                    ),
                )
            return await self._issue_twin(holding.declaration, base, once, now, holder_key=point)

    async def on_paper(self, base_id: FactId, now: dt.datetime) -> str:
        """The twin for paper of the code ``base_id``, or that code itself if it is one; the same each time it is asked.

        Raises :class:`Hidden` ``code.hidden`` for what is no code, :class:`Conflict` ``live.over`` for one that is not
        good any more.
        """
        base = await self._store.fact(base_id)
        if base is None or not isinstance(base.what, Issued):
            raise Hidden("code.hidden", Words("Không có mã này.", "There is no such code."))
        if base.what.carrier is Carrier.PAPER:
            return await self._text(base_id)
        once = self._secrets.index("paper", twins_begin(base_id))  # one paper for all twins
        if held := await self._store.holder(once):
            return await self._text(FactId(held))
        return await self._issue_twin(base.what.declaration, base, once, now, carrier=Carrier.PAPER)

    async def _issue_twin(
        self,
        declaration: FactId,
        base: Fact,
        once: bytes,
        now: dt.datetime,
        *,
        holder_key: bytes | None = None,
        carrier: Carrier = Carrier.SCREEN,
    ) -> str:
        due = await self._due(declaration, base, now)
        due = replace(due, holder_key=holder_key, carrier=carrier)
        text, twin = await self._codes.issue(await self._declared(declaration), due, now)
        outcome = await self._store.append(Act(facts=await self._codes.complete((twin,), now), once=((once, twin.id),)))
        if isinstance(outcome, Already):  # somebody came first with the same wish: another tab, another press
            return await self._text(FactId(outcome.once.get(once, "")))
        return text

    async def old_code(self, wallet: bytes, qid: Qid) -> str:
        """The citizen's code of 2021 (v1.1), from what ``wallet`` itself declared. It has no end and no signature.

        Raises :class:`Hidden` ``code.hidden`` for a citizen whom this browser did not declare, :class:`Conflict`
        ``old_code.spent`` for one whose code was withdrawn, :class:`Invalid` ``v1_1.unwritable``.
        """
        holding = await holding_of(self._store, wallet, qid)
        fact = await self._store.fact(holding.declaration) if holding else None
        standing = (await numbers_of(self._store, holding.qid))[1] if holding else None
        declared = await declared_as_corrected(self._store, fact) if fact else None
        if declared is None or standing is None:
            raise Hidden("code.hidden", Words("Không có mã này trên máy này.", "This code is not on this device."))
        if standing.revoked or standing.suspended:
            raise Conflict(
                "old_code.spent",
                Words(
                    "Mã đã bị thu hồi hoặc tạm dừng nên không hiện kiểu cũ. Hỏi cán bộ chốt.",
                    "The code was revoked or suspended, so there is no old kind of it. Ask at a checkpoint.",
                ),
            )
        return write_v1_1(
            qid=standing.qid,
            name=declared.name,
            birth_date=declared.birth_date,
            document_number=declared.document.number,
        )

    async def _declared(self, declaration: FactId) -> Declaration:
        fact = await self._store.fact(declaration)
        declared = await declared_as_corrected(self._store, fact) if fact else None
        if declared is None:
            raise _unread()
        return declared

    async def _due(self, declaration: FactId, base: Fact, now: dt.datetime) -> Due:
        """The same code once more: what it says of the citizen is what ``base`` says."""
        assert isinstance(base.what, Issued) and base.qid
        valid_until = base.what.valid_until
        standing = await self._citizens.standing(base.qid)
        accepted = await self._store.fact(declaration)
        if accepted is None or not isinstance(accepted.what, Accepted):
            raise _unread()
        measure = (await self._board.current(now)).measures.get(accepted.what.measure)
        if measure is None or standing is None or standing.revoked or standing.suspended or now >= valid_until:
            raise Conflict(
                "live.over",
                Words(
                    "Mã không còn hiệu lực. Khai lại để có mã mới.",
                    "The code is not valid any more. Declare again for a new one.",
                ),
            )
        claims = unverified(await self._text(base.id))  # its key may have been revoked by now
        if claims is None:
            raise _unread()
        return Due(
            declaration=declaration,
            born_with=twin_id(base.id, self._random(6)),
            qid=base.qid,
            measure=measure,
            matched=claims.matched,
            valid_from=accepted.what.valid_from,
            valid_until=valid_until,
            reissue=True,
            actor="holder",
        )

    async def _text(self, code_id: FactId) -> str:
        issued = await self._store.fact(code_id)
        if issued is None or issued.personal is None:
            raise _unread()
        return msgspec.json.decode(issued.personal, type=Holder).code


_DAY = dt.timedelta(days=1)


def is_on_paper(fact: Fact) -> bool:
    """Whether it is a code that was issued for paper."""
    return isinstance(fact.what, Issued) and fact.what.carrier is Carrier.PAPER


def _is_plain(fact: Fact) -> bool:
    """Whether it is the code itself and not a twin of it."""
    return isinstance(fact.what, Issued) and not fact.what.live and not is_on_paper(fact)


def _unread() -> Unavailable:
    return Unavailable("storage.unavailable", Words("Chưa đọc được mã.", "The code cannot be read now."))
