"""Status desks for tests: each on a store of its own, as in a process of its own."""

import asyncio
import datetime as dt
import os
from collections.abc import Callable
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.code import TrustedKey, key_id
from motma.core.cose import SigningKey
from motma.core.facts import Accepted, Fact
from motma.core.ids import Qid
from motma.core.status import LIST_INDEXES, StatusToken, list_uri, verify_status_token
from motma.services.status import EXPIRY, StatusDesk
from motma.storage.keys import Secrets
from motma.storage.store import Act
from tests.storage.samples import KEY, NOW, accepted, issued

BASE = "https://motma.test/v1/status"
OURS = SigningKey(private := ec.derive_private_key(7, ec.SECP256R1()), key_id(private.public_key()))
NEWER = SigningKey(private := ec.derive_private_key(8, ec.SECP256R1()), key_id(private.public_key()))
RING = {
    key.kid: (
        TrustedKey(kid=key.kid, public=key.public, issuer="motma.test", not_before=NOW - EXPIRY, status_uri=BASE),
    )
    for key in (OURS, NEWER)
}
SECRETS = Secrets(index_key=KEY)
A_SECOND, A_MINUTE = dt.timedelta(seconds=1), dt.timedelta(minutes=1)

Opener = Callable[[], Any]


class Desk(StatusDesk):
    """A desk, its store, and the key that the test gives it."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.key, self.since = OURS, NOW - EXPIRY

        async def signer(now: dt.datetime) -> tuple[SigningKey, dt.datetime]:
            return self.key, self.since

        super().__init__(store=store, secrets=SECRETS, random=os.urandom, status_uri=BASE, signer=signer)

    async def code(self, qid: Qid, **changes: Any) -> int:
        """Somebody declares and gets a code, as ``declare`` writes it; its index."""
        declared = accepted(qid)
        declared = msgspec.structs.replace(declared, what=msgspec.structs.replace(declared.what, **changes))
        code = await self.issued(qid, declared)
        await self.store.append(Act(facts=(declared, code, *await self.consequences((declared, code), NOW))))
        return code.what.status_index  # type: ignore[union-attr, no-any-return]

    async def issued(self, qid: Qid, declared: Fact, index: int | None = None) -> Fact:
        code = issued(qid, declared.id)
        index = await self.next_index(NOW) if index is None else index
        until = declared.what.valid_until if isinstance(declared.what, Accepted) else NOW + EXPIRY
        return msgspec.structs.replace(
            code, what=msgspec.structs.replace(code.what, status_index=index, valid_until=until)
        )

    async def reserved_by_others(self, blocks: range) -> None:
        """Somebody else claims ``blocks``, at once and not one by one."""
        for some in (blocks[at : at + 2_000] for at in range(0, len(blocks), 2_000)):
            await self.store.append(Act(once=tuple((self._key(block), "somebody") for block in some)))

    async def taken(self, now: dt.datetime = NOW, previous: StatusToken | None = None, n: int = 0) -> StatusToken:
        """List ``n`` as a scanner takes it."""
        uri = list_uri(BASE, n * LIST_INDEXES)
        return verify_status_token((await self.status_list(n, now)).token, RING, uri=uri, now=now, previous=previous)


async def take(desk: StatusDesk, count: int) -> list[int]:
    return list(await asyncio.gather(*[desk.next_index(NOW) for _ in range(count)]))
