"""Check every setting and what the server stands on, and say what to do about each finding."""

import asyncio
import contextlib
import datetime as dt
import os
import shutil
import socket
import stat
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from motma.config import Settings, read_settings, unknown_settings
from motma.connectors.registry.osia import OsiaRegistry, Where
from motma.core.errors import MotmaError, Unavailable
from motma.core.fold import fold_board
from motma.core.measure import active_measure
from motma.core.trust import Trust, fold_trust
from motma.services.matching import NOBODY
from motma.storage.keys import Chest, open_chest
from motma.storage.store import Store
from motma.wiring import load_dhis2, load_signers, utc_now

_ROOM_MIN_BYTES = 2_000_000_000
_HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    level: Literal["ok", "warning", "error"]
    id: str
    message: str
    hint: str = ""


async def examine() -> list[Finding]:
    """Everything there is to check, in the order in which it is needed."""
    try:
        settings = read_settings()
    except MotmaError as error:
        return [Finding("error", error.code, error.words.en, "Set it right or leave it out.")]
    findings = [
        Finding("warning", "config.unknown", f"{name} is not a setting.", "Look for a mistyped name.")
        for name in unknown_settings()
    ]
    findings += [_folder(settings), _room(settings), _port(settings), _clock()]
    if settings.host not in _HERE:
        findings.append(
            Finding("warning", "config.host", f"Listens on {settings.host}.", "Put a proxy with TLS in front of it.")
        )
    if settings.client_cert_header:
        findings.append(
            Finding(
                "warning",
                "config.client_cert_header",
                f"Platforms' certificates are believed from the header {settings.client_cert_header}.",
                "The proxy must remove that header from what comes from outside.",
            )
        )
    if settings.sandbox:
        findings.append(
            Finding("ok", "config.sandbox", "A sandbox: fictional people only, platforms register themselves.")
        )
    if settings.webhooks_private:
        findings.append(
            Finding(
                "warning",
                "config.webhooks_private",
                "Webhooks reach every address, those inside this network too.",
                "Leave MOTMA_WEBHOOKS_PRIVATE out wherever platforms are not your own.",
            )
        )
    findings += await _register(settings)
    findings += [_signers(settings), _dhis2(settings)]
    try:
        chest = open_chest(settings.data, settings.unlock, pin=settings.pkcs11_pin, now=utc_now())
        findings.append(
            Finding("ok", "secrets.file", "Newly made." if chest.created else "There, readable by the owner only.")
        )
    except MotmaError as error:
        findings.append(Finding("error", error.code, error.words.en, f"Look at {settings.data}."))
        return findings
    findings += _unlock(chest)
    try:
        store = await Store.open(settings.database_url, seal_key=chest.ring, clock=utc_now)
    except MotmaError as error:
        findings.append(
            Finding("error", error.code, error.words.en, "Check MOTMA_DATABASE_URL and that the server runs.")
        )
        return findings
    try:
        rows = await store.counts()
        findings.append(Finding("ok", "storage.open", f"{sum(rows.values())} rows; migrations are up to date."))
        steering = await store.control_facts()
        trust = fold_trust(steering)
        findings += _keys(chest, trust)
        findings += _ahead(trust, utc_now())
        board = fold_board(steering)
        measure = active_measure(board.measures.values(), utc_now())
        findings.append(
            Finding("ok", "measure.active", measure.title.en)
            if measure
            else Finding("warning", "measure.none_active", "Nothing is asked of anybody.", "motma measure publish-demo")
        )
        for kind in ("operator", "officer", "device"):
            known = [one for one in await store.credentials(kind) if one.revoked_at is None]
            findings.append(
                Finding("ok", f"admitted.{kind}", f"{len(known)}")
                if known
                else Finding("warning", f"admitted.{kind}", f"No {kind} yet.", f"motma admit {kind} --help")
            )
    finally:
        await store.close()
    return findings


def _signers(settings: Settings) -> Finding:
    """Whether health certificates can be verified."""
    try:
        signers = load_signers(settings.dcc_signers)
    except MotmaError as error:
        return Finding(
            "error", error.code, error.words.en, "Set MOTMA_DCC_SIGNERS to a list of signers: docs/operate.md"
        )
    if settings.dcc_signers is None:
        return Finding("ok", "dcc_signers.unset", "No signers of health certificates: all are said to be unknown.")
    now = utc_now()
    in_time = [one for one in signers if one.not_after is None or now <= one.not_after]
    countries = len({one.country for one in in_time if one.country})
    message = f"{len(in_time)} of {len(signers)} signers of health certificates are in time; {countries} countries."
    if not in_time:
        return Finding("warning", "dcc_signers.ended", message, "Fetch the newest list for MOTMA_DCC_SIGNERS.")
    return Finding("ok", "dcc_signers.file", message)


def _dhis2(settings: Settings) -> Finding:
    """Whether what a DHIS2 sends can be read."""
    try:
        mapping = load_dhis2(settings.dhis2_mapping)
    except MotmaError as error:
        return Finding("error", error.code, error.words.en, "Set MOTMA_DHIS2_MAPPING right: docs/connectors.md")
    if mapping is None:
        return Finding("ok", "dhis2.unset", "A DHIS2 is read as the example says.")
    return Finding("ok", "dhis2.mapping", f"A DHIS2 is read as {settings.dhis2_mapping} says.")


async def _register(settings: Settings) -> list[Finding]:
    """Whether the population register answers us: asked about a number that nobody can have."""
    url = settings.register_url
    if not url:
        return [
            Finding(
                "warning",
                "register.none",
                "No population register: everybody stays pending, and is checked by hand.",
                "Set MOTMA_REGISTER_URL, _CLIENT and _SECRET: docs/operate.md",
            )
        ]
    findings = []
    address = urlsplit(url)
    host, port = address.hostname or "", address.port or (443 if address.scheme == "https" else 80)
    if address.scheme == "http" and host not in _HERE:
        findings.append(
            Finding(
                "warning", "register.plain", "Names and numbers go to it in the clear.", "Use its https:// address."
            )
        )
    try:
        async with OsiaRegistry(Where(url, settings.register_client, settings.register_secret)) as registry:
            known = await registry.match(NOBODY, {"fullName": "X"})
    except Unavailable:
        if not await _listens(host, port):
            hint = "Is it running, and is MOTMA_REGISTER_URL its address? Until then declarations are pending."
            return [*findings, Finding("error", "register.unreachable", f"Nobody answers at {host}:{port}.", hint)]
        hint = "Compare MOTMA_REGISTER_CLIENT and _SECRET with what it gave you, and the path of MOTMA_REGISTER_URL."
        return [*findings, Finding("error", "register.unavailable", f"{host}:{port} does not answer us.", hint)]
    if known is not None:
        hint = "Ask who runs it: a register that knows everybody confirms everybody."
        return [*findings, Finding("error", "register.wrong", f"Somebody has the number {NOBODY} there.", hint)]
    return [*findings, Finding("ok", "register.answers", f"{host}:{port} answers us.")]


async def _listens(host: str, port: int) -> bool:
    """Whether somebody takes connections there."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return True
    return False


def _unlock(chest: Chest) -> list[Finding]:
    if chest.unlock_beside:
        return [
            Finding(
                "warning",
                "keys.unlock_beside",
                "The unlock key lies in the data folder: who takes the folder opens it.",
                "Move unlock.key elsewhere and set MOTMA_UNLOCK to it: docs/operate.md",
            )
        ]
    return [Finding("ok", "keys.unlock", "The unlock key lies elsewhere than what it opens.")]


def _keys(chest: Chest, trust: Trust) -> list[Finding]:
    """Whether every private key here can be read, and those that sign do."""
    findings = []
    try:
        for kid in chest.kids():
            chest.signer(kid)
        for use in ("code", "root"):
            key = trust.signing(use)
            if key:
                chest.signer(key.kid).sign(b"motma: are you there?")
                where = chest.kids()[key.kid]
                findings.append(Finding("ok", f"keys.{use}", f"{key.added.kid} signs; private half: {where}."))
            else:
                findings.append(Finding("ok", f"keys.{use}", "Will be made when the server starts."))
    except MotmaError as error:
        findings.append(Finding("error", error.code, error.words.en, "See: motma key list"))
    return findings


def _ahead(trust: Trust, now: dt.datetime) -> list[Finding]:
    """Keys that begin later than now: the clock was ahead when they were made, or is behind today."""
    return [
        Finding(
            "error",
            "clock.ahead_of_keys",
            f"The key {key.added.kid} signs but begins on {key.added.not_before:%Y-%m-%d %H:%M} UTC.",
            f"If the clock is right now: motma key rotate{'' if use == 'code' else ' --use root'}",
        )
        for use in ("code", "root")
        if (key := trust.signing(use)) and key.added.not_before > now
    ]


def _folder(settings: Settings) -> Finding:
    if not settings.data.exists():
        return Finding("ok", "data.folder", f"{settings.data} will be made.")
    mode = stat.S_IMODE(settings.data.stat().st_mode)
    if mode & 0o077:
        return Finding("error", "data.mode", f"{settings.data} can be read by others.", f"chmod 700 {settings.data}")
    if not os.access(settings.data, os.W_OK):
        return Finding("error", "data.write", f"{settings.data} cannot be written.", "Run as its owner.")
    return Finding("ok", "data.folder", f"{settings.data}, for its owner only.")


def _room(settings: Settings) -> Finding:
    here = next(folder for folder in (settings.data, *settings.data.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(here).free
    message = f"{free / 1e9:.1f} GB free."
    if free < _ROOM_MIN_BYTES:
        return Finding("warning", "data.room", message, "Make room, or set MOTMA_DATA elsewhere.")
    return Finding("ok", "data.room", message)


def _port(settings: Settings) -> Finding:
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except OSError:
        return Finding("error", "config.host", f"{settings.host} is no address of this machine.", "Set MOTMA_HOST.")
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return Finding(
                "warning", "port.taken", f"{settings.port}: {error.strerror}.", "Set MOTMA_PORT, or it runs already."
            )
    return Finding("ok", "port.free", f"{settings.host}:{settings.port}")


def _clock() -> Finding:
    now = utc_now()
    if now.year < 2026:
        return Finding(
            "error", "clock.wrong", f"The clock says {now:%Y-%m-%d}.", "Set the machine's clock; codes carry times."
        )
    return Finding("ok", "clock.plausible", f"{now:%Y-%m-%d %H:%M} UTC")
