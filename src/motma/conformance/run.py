"""Try a platform: start an exchange, stand between, go through the cases one after the other, say what was seen."""

import contextlib
import itertools
import random
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec

from motma.conformance import codes, sending, telling  # noqa: F401  # importing them enters their cases
from motma.conformance.exchange import Ours, running_exchange
from motma.conformance.front import Front
from motma.conformance.platform import Platform
from motma.conformance.report import Signed, SignedBy, Tried, reported, sign
from motma.conformance.trial import CASES, Case, Trial, Wrong
from motma.core.code import key_id
from motma.core.cose import Signer, SigningKey
from motma.core.errors import MotmaError
from motma.wiring import utc_now


async def run(
    url: str,
    *,
    patience: float,
    signer: Signer | None = None,
    only: Sequence[str] = (),
    seed: int | None = None,
    ours: Ours | None = None,
    on_case: Callable[[Tried], None] = lambda _: None,
) -> Signed:
    """Try the platform at ``url``; ``only``: cases whose ids begin with one of these.

    ``signer`` is the exchange's own key when its operator runs this; without one the report is signed by a key of its
    own. ``ours``: an exchange that runs already. Raises :class:`motma.core.errors.Unavailable` when the platform
    cannot be tried at all.
    """
    async with aiohttp.ClientSession() as session:  # a mistake in the address is told before anything is started
        await Platform(url, session).about()
    chosen = [one for one in CASES if not only or one.id.startswith(tuple(only))]
    async with _trial(url, patience, secrets.randbits(64) if seed is None else seed, ours) as trial:
        about = await trial.platform.about()
        for key in about.jwks["keys"]:
            await trial.ours.admit(trial.id, about.name, about.connector, key)
        await trial.platform.connect(trial.front.url, trial.id)
        tried = []
        for one in chosen:
            tried.append(await _try(one, trial))
            on_case(tried[-1])
    by: SignedBy = "exchange" if signer else "this report alone"
    report = reported(about.name, about.connector, tuple(tried), every=len(CASES), by=by, at=utc_now())
    return sign(report, signer or own_key())


@contextlib.asynccontextmanager
async def _trial(url: str, patience: float, seed: int, ours: Ours | None) -> AsyncIterator[Trial]:
    async with contextlib.AsyncExitStack() as stack:
        if ours is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="motma-trial-")))
            ours = await stack.enter_async_context(running_exchange(folder))
        front = Front(ours.url)
        await stack.enter_async_context(front.running())
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        luck, id = random.Random(seed), f"TRIAL{secrets.token_hex(4).upper()}"
        strangers = itertools.count(luck.randrange(len(ours.people) // 4, len(ours.people) * 3 // 4))
        yield Trial(id, Platform(url, session), front, ours, patience, luck, strangers)


async def _try(one: Case, trial: Trial) -> Tried:
    trial.front.begin()
    began, seen = time.monotonic(), ""
    try:
        await one.run(trial)
    except Wrong as wrong:
        seen = str(wrong) or "not as it must be"
    except MotmaError as error:
        seen = f"{error.words.en} [{error.code}]"
    finally:
        trial.front.begin()
    return Tried(one.id, one.group, one.words._asdict(), not seen, seen, round(time.monotonic() - began, 2))


def own_key() -> SigningKey:
    """A key for one report, kept nowhere."""
    key = ec.generate_private_key(ec.SECP256R1())
    return SigningKey(key, key_id(key.public_key()))
