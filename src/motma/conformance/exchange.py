"""The exchange that a platform is tried against: a real one, with its register, on this machine and for this trial."""

import contextlib
import datetime as dt
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from motma.config import Settings, read_settings
from motma.core.claims import Claims
from motma.core.code import issue_code, key_id, verify_code
from motma.core.cose import Signer, SigningKey
from motma.core.ids import Qid
from motma.forms import load_form, load_units
from motma.measures import load_demo_measure
from motma.register.population import Person, Population
from motma.replay.processes import RunningTwin, free_port, running_register, running_server, running_twin
from motma.wiring import Built, build, utc_now

SCOPES = (
    *("declarations:write", "declarations:read", "codes:read", "codes:verify", "prechecks"),
    *("changes:read",),
)
"""What a platform of this kind needs."""
_BY = "cli"
_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True)
class Ours:
    """An exchange that answers at ``url``; what its operators do is done in the same store, beside it."""

    url: str
    settings: Settings
    built: Built
    people: Population

    async def admit(
        self, platform: str, name: str, connector: str, jwk: Mapping[str, Any], *, per_second: int = 1_000
    ) -> None:
        """Register a platform with its public key; one that is known already gets another key."""
        platforms, now = self.built.house.platforms, utc_now()
        if await platforms.known(platform, now) is None:
            await self._register(platform, name, connector, per_second)
        await platforms.add_key(platform, msgspec.json.encode(jwk).decode(), by=_BY, now=now)

    async def _register(self, platform: str, name: str, connector: str, per_second: int) -> None:
        platforms, now = self.built.house.platforms, utc_now()
        await platforms.register(
            platform,
            name,
            scopes=SCOPES,
            connector=connector,
            per_second=per_second,
            per_day=10_000_000,
            by=_BY,
            now=now,
        )

    async def suspend(self, platform: str) -> None:
        """Let it in no longer, for now."""
        await self.built.house.platforms.suspend(platform, "trial", by=_BY, now=utc_now())

    async def resume(self, platform: str) -> None:
        """Let it in again."""
        await self.built.house.platforms.resume(platform, by=_BY, now=utc_now())

    async def withdraw(self, qid: str) -> None:
        """Withdraw a citizen's codes."""
        await self.built.house.status.revoke(Qid(qid), "trial", by=_BY, now=utc_now())

    async def hold_back(self, qid: str) -> None:
        """Suspend a citizen's codes for now."""
        await self.built.house.status.suspend(Qid(qid), "trial", by=_BY, now=utc_now())

    async def give_back(self, qid: str) -> None:
        """Undo :meth:`hold_back`."""
        await self.built.house.status.restore(Qid(qid), by=_BY, now=utc_now())

    async def report(self, qid: str, event: str) -> None:
        """Health staff report something about a citizen."""
        now = utc_now()
        said = {"event": event, "since": now.isoformat(), "reference": "trial", "qid": qid}
        await self.built.house.events.report(said, source="HCDC", now=now, key=f"trial-{qid}-{event}-{now.timestamp()}")

    async def code_like(self, code: str, **changed: Any) -> str:
        """A code that says the same as ``code`` but for ``changed`` claims, under the exchange's own key."""
        signer, said = await self._opened(code)
        return issue_code(msgspec.structs.replace(said, **changed), signer)

    async def code_of_another(self, code: str, *, same_kid: bool) -> str:
        """The same claims under the key of a stranger, who calls it by the exchange's kid or by its own."""
        signer, said = await self._opened(code)
        key = ec.generate_private_key(ec.SECP256R1())
        return issue_code(said, SigningKey(key, signer.kid if same_kid else key_id(key.public_key())))

    async def _opened(self, code: str) -> tuple[Signer, Claims]:
        now = utc_now()
        signer = await self.built.house.trust.signer("code", now)
        return signer, verify_code(code, await self.built.board.keyring(now)).claims


@contextlib.asynccontextmanager
async def running_exchange(folder: Path, *, people: int = 100_000, issuer: str = "motma.trial") -> AsyncIterator[Ours]:
    """A server and a register as programs of their own, on an empty store in ``folder``; ended by their ids."""
    settings = replace(
        read_settings({}),
        data=folder,
        database_url=f"sqlite:///{(folder / 'motma.db').absolute()}",
        port=free_port(),
        issuer=issuer,
        register_size=people,
        sandbox=True,
        webhooks_private=True,
    )
    async with contextlib.AsyncExitStack() as stack:
        register = running_register(seed=settings.register_seed, size=people)
        settings = (await stack.enter_async_context(register)).told(settings)
        built = await stack.enter_async_context(build(settings))
        now = utc_now()
        if await built.house.declare.measure(now) is None:
            await built.house.steer.publish_measure(load_demo_measure(now), by=_BY, now=now)
        url = await stack.enter_async_context(running_server(settings))
        yield Ours(url, settings, built, Population(settings.register_seed, people))


@contextlib.asynccontextmanager
async def running_twins(
    ours: Ours, folder: Path, names: Sequence[str], *, feed_seconds: float = 5.0, trials: bool = True
) -> AsyncIterator[Mapping[str, RunningTwin]]:
    """Twins of platforms, each a program of its own in its own folder, registered with their own keys."""
    async with contextlib.AsyncExitStack() as stack:
        twins = {}
        for name in names:
            twin = running_twin(name, exchange=ours.url, data=folder / name, feed_seconds=feed_seconds, trials=trials)
            twins[name] = await stack.enter_async_context(twin)
            jwk = msgspec.json.decode(twins[name].jwk.read_bytes(), type=dict[str, Any])
            await ours.admit(name.upper(), name, name, jwk)
        yield twins


def declaration_of(person: Person, now: dt.datetime, *, luck: random.Random) -> dict[str, Any]:
    """What ``person`` declares before a trip an hour from ``now``, healthy, as ``POST /v1/declarations`` has it."""
    form = load_form("2026-1")
    city = [code for code, (_, province) in load_units().communes.items() if province == "79"]
    document = person.documents[0]
    leaves = (now + dt.timedelta(hours=1)).astimezone(_LOCAL)
    home = {"province": person.residence.province, "commune": person.residence.commune}
    return {
        "name": person.name,
        "birth_date": f"{person.birth_date:%Y}" if person.year_only else person.birth_date.isoformat(),
        "sex": person.sex,
        "nationality": person.nationality,
        "document": {"kind": document.kind, "number": document.number},
        "phone": person.phone,
        "residence": {**home, "address": person.residence.address},
        "trip": {
            "origin": home,
            "destination": {"province": "79", "commune": luck.choice(city)},
            "vehicle": "motorbike",
            "plate": f"59X{luck.randrange(1, 10)}{luck.randrange(10_000, 100_000)}",
            "departs_at": leaves.isoformat(timespec="minutes"),
        },
        "health": {"symptoms": {choice.id: False for choice in form.symptoms}, "contact": False, "places": ""},
        "consents": [purpose.id for purpose in form.purposes],
    }
