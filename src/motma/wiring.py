"""The only place where things are built, and where the clock and randomness come in."""

import asyncio
import base64
import contextlib
import datetime as dt
import functools
import gc
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from litestar.types import ASGIApp

from motma.config import Settings
from motma.connectors.platforms.dhis2 import DHIS2
from motma.connectors.platforms.dhis2.mapping import MAPPING_MAX_BYTES, Mapping, read_mapping
from motma.connectors.platforms.table import tables
from motma.connectors.registry import NoRegistry
from motma.connectors.registry.osia import OsiaRegistry, Where
from motma.connectors.webhooks import WebhookSender
from motma.core.cose import Signer
from motma.core.errors import Invalid
from motma.core.legacy.keys import MAX_BYTES, parse_keys
from motma.core.legacy.reading import DccAnchor
from motma.core.measure import active_measure
from motma.core.policy import Policy
from motma.core.sandbox import require_fictional
from motma.core.words import Words
from motma.forms import load_form, load_units
from motma.measures import load_lists, load_permit_groups
from motma.roads import load_network
from motma.services.board import BoardReader
from motma.services.bundle import BundleDesk, Rules
from motma.services.carriers import Carriers
from motma.services.check import Check
from motma.services.citizens import Citizens
from motma.services.codes import CodeOffice
from motma.services.declare import Declare
from motma.services.enrol import Enrol
from motma.services.exchange.calls import Calls
from motma.services.exchange.endpoints import Endpoints
from motma.services.exchange.events import Events
from motma.services.exchange.feed import Feed
from motma.services.exchange.inbox import Inbox
from motma.services.exchange.intake import Intake
from motma.services.exchange.lists import Lists
from motma.services.exchange.own import Afterwards
from motma.services.exchange.owncode import OwnCode
from motma.services.exchange.platforms import Platforms
from motma.services.exchange.provenance import Sources
from motma.services.exchange.quotas import Quotas
from motma.services.exchange.selfservice import SelfService
from motma.services.exchange.telling import Telling
from motma.services.exchange.tokens import Tokens
from motma.services.exchange.tracing import Tracing
from motma.services.exchange.verify import Verify
from motma.services.exchange.webhooks import Webhooks
from motma.services.gather import Gather
from motma.services.identify import Identify
from motma.services.matching import Matching
from motma.services.permit_import import PermitImport
from motma.services.permits import Permits
from motma.services.plates import Plates
from motma.services.policies import Policies
from motma.services.precheck import Precheck
from motma.services.rehearsal import Rehearse, Today
from motma.services.rehearsalroom import RehearsalRoom
from motma.services.reissue import Reissue
from motma.services.repair import Repair
from motma.services.review import Review
from motma.services.status import StatusDesk
from motma.services.steer import Steer
from motma.services.tries import Tries
from motma.services.trust import Trust
from motma.services.trustlist import TrustDesk
from motma.services.wallet import Wallet
from motma.storage.keys import Secrets, open_chest
from motma.storage.store import Store
from motma.web.app import create_app
from motma.web.house import House
from motma.worker import Tellers, work


def utc_now() -> dt.datetime:
    """The clock."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Built:
    """Everything, opened: the doors' house, the worker's verb, and the store beneath."""

    house: House
    identify: Identify
    reissue: Reissue
    store: Store
    secrets: Secrets
    board: BoardReader
    citizens: Citizens
    rehearse: Rehearse
    tellers: Tellers
    telling: Callable[[str], Telling]


@contextlib.asynccontextmanager
async def build(settings: Settings, *, clock: Callable[[], dt.datetime] = utc_now) -> AsyncIterator[Built]:
    """Open the store and the way to the register, and put the services on them; closed at the end."""
    chest = open_chest(settings.data, settings.unlock, pin=settings.pkcs11_pin, now=clock())
    secrets = chest.secrets
    network, random = load_network(), os.urandom
    status_uri = f"https://{settings.issuer}/v1/status"
    store = await Store.open(settings.database_url, seal_key=chest.ring, clock=clock)
    async with contextlib.AsyncExitStack() as opened:
        opened.push_async_callback(store.close)
        where = _register(settings)
        matching = Matching(await opened.enter_async_context(OsiaRegistry(where)) if where else NoRegistry())
        citizens = Citizens(store=store, secrets=secrets, random=random)
        board = BoardReader(store)
        trust = Trust(
            store=store,
            board=board,
            chest=chest,
            issuer=settings.issuer,
            areas=load_units().provinces.keys(),
            random=random,
            status_uri=status_uri,
        )
        await trust.begin(clock())

        async def signs_lists(now: dt.datetime) -> tuple[Signer, dt.datetime]:
            signer = await trust.signer("code", now)
            return signer, (await board.trust(now)).keys[signer.kid.hex()].added.not_before

        status = StatusDesk(store=store, secrets=secrets, random=random, status_uri=status_uri, signer=signs_lists)
        codes = CodeOffice(
            issuer=settings.issuer,
            board=board,
            network=network,
            signer=functools.partial(trust.signer, "code"),
            next_index=status.next_index,
            consequences=status.consequences,
        )
        permits = Permits(
            store=store,
            board=board,
            matching=matching,
            citizens=citizens,
            secrets=secrets,
            random=random,
            groups=load_permit_groups(),
            areas={area.id: area.name for area in network.areas},
        )
        platforms = Platforms(store=store, random=random)
        enrol = Enrol(store=store, secrets=secrets, random=random, network=network, platforms=platforms)
        policies = Policies(store=store, board=board, person=enrol.person, random=random)

        async def rules(now: dt.datetime) -> Rules:
            enacted = await policies.enacted(now)

            def at(names: tuple[str, ...], when: dt.datetime) -> tuple[Sequence[Policy], bool]:
                found = policies.among(enacted, names, when)
                return found.policies, not found.unread

            return Rules(at, tuple([step.moment for step in enacted.waiting(now)]), enacted.version)

        gather = Gather(store=store, board=board, network=network, permits=permits, rules=policies.deciding)
        signers = load_signers(settings.dcc_signers)
        check = Check(
            store=store,
            board=board,
            citizens=citizens,
            network=network,
            gather=gather,
            reasons=policies.reasons,
            secrets=secrets,
            signers=signers,
        )

        async def in_force(now: dt.datetime) -> Today:
            measure = active_measure((await board.current(now)).measures.values(), now)
            found = policies.among(await policies.enacted(now), measure.policies if measure else (), now)
            begun = [
                one for one in found.policies if one.valid_from <= now and not (one.valid_to and one.valid_to <= now)
            ]
            return Today(tuple(begun), unreadable=bool(found.unread))

        rehearse = Rehearse(store=store, in_force=in_force)
        rehearsals = RehearsalRoom(rehearse, clock)
        opened.push_async_callback(rehearsals.close)
        feed = Feed(store)
        opened.push_async_callback(feed.close)
        sources = Sources(store)
        tries = Tries(secrets)
        DHIS2.use(load_dhis2(settings.dhis2_mapping))
        declare = Declare(
            store=store,
            board=board,
            matching=matching,
            citizens=citizens,
            tries=tries,
            codes=codes,
            sources=sources,
            secrets=secrets,
            random=random,
            form=load_form("2026-1"),
            units=load_units(),
            network=network,
            require=require_fictional if settings.sandbox else None,
        )
        sender = await opened.enter_async_context(WebhookSender(private=settings.webhooks_private))
        endpoints = Endpoints(store)
        telling = functools.partial(Telling, store=store, feed=feed, endpoints=endpoints, sender=sender, random=random)
        tellers = Tellers(
            outbox=store.outbox,
            endpoints=endpoints,
            feed=feed,
            telling=telling,
            owner=random(16).hex(),
            clock=clock,
        )
        events = Events(
            store=store,
            board=board,
            matching=matching,
            citizens=citizens,
            tries=tries,
            codes=codes,
            secrets=secrets,
            random=random,
        )
        house = House(
            declare=declare,
            intake=Intake(
                declare=declare, tables=tables(), store=store, platforms=platforms, secrets=secrets, random=random
            ),
            afterwards=Afterwards(store, sources=sources, secrets=secrets, form=load_form("2026-1")),
            sources=sources,
            inbox=Inbox(declare=declare, events=events),
            events=events,
            verify=Verify(
                store=store,
                board=board,
                citizens=citizens,
                network=network,
                gather=gather,
                index=secrets.index,
                signers=signers,
            ),
            own_code=OwnCode(store),
            wallets=Wallet(store=store, network=network),
            check=check,
            precheck=Precheck(store=store, board=board, gather=gather, network=network),
            repair=Repair(
                store=store,
                board=board,
                matching=matching,
                citizens=citizens,
                codes=codes,
                check=check,
                secrets=secrets,
            ),
            review=Review(store=store, citizens=citizens, codes=codes, secrets=secrets, random=random),
            permits=permits,
            permit_import=PermitImport(permits=permits, secrets=secrets, random=random),
            plates=Plates(store=store, citizens=citizens, secrets=secrets, random=random),
            policies=policies,
            steer=Steer(store=store, board=board, network=network, random=random),
            enrol=enrol,
            platforms=platforms,
            tokens=Tokens(store=store, platforms=platforms, secrets=secrets, random=random, issuer=settings.issuer),
            quotas=Quotas(),
            calls=Calls(),
            trust_list=TrustDesk(board=board, issuer=settings.issuer, signer=chest.signer, status=status.floors),
            bundles=BundleDesk(board=board, issuer=settings.issuer, network=network, rules=rules, signer=chest.signer),
            carriers=Carriers(store=store, board=board, citizens=citizens, codes=codes, secrets=secrets, random=random),
            status=status,
            trust=trust,
            rehearsals=rehearsals,
            feed=feed,
            webhooks=Webhooks(store=store, feed=feed, endpoints=endpoints, sender=sender, random=random),
            tracing=Tracing(store=store, citizens=citizens, network=network, issuer=settings.issuer, random=random),
            lists=Lists(store=store, board=board, network=network, lists=load_lists(), random=random),
            clock=clock,
            new_token=lambda: base64.b32encode(random(20)).decode().lower(),
            wallet=lambda token: secrets.index("wallet", token),
            certificate_header=settings.client_cert_header,
            sandbox=SelfService(platforms=platforms, enrol=enrol, random=random) if settings.sandbox else None,
        )
        identify = Identify(store=store, board=board, matching=matching, citizens=citizens, codes=codes, random=random)
        reissue = Reissue(store=store, board=board, citizens=citizens, codes=codes, random=random)
        yield Built(house, identify, reissue, store, secrets, board, citizens, rehearse, tellers, telling)


def _register(settings: Settings) -> Where | None:
    """Where the population register is; None while nobody has said it."""
    if not settings.register_url:
        return None
    return Where(
        settings.register_url,
        settings.register_client,
        settings.register_secret,
        pause_seconds=settings.register_pause_seconds,
    )


def load_signers(file: Path | None) -> tuple[DccAnchor, ...]:
    """Who may sign health certificates, from the file that the setting names; nobody without one.

    Raises :class:`Invalid` ``dcc_signers.*``, ``dcc_anchors.*`` or ``keys.*`` for a file that is of no use.
    """
    if file is None:
        return ()
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except OSError:
        raise Invalid(
            "dcc_signers.file",
            Words(f"Không đọc được tệp {file} (MOTMA_DCC_SIGNERS).", f"{file} (MOTMA_DCC_SIGNERS) cannot be read."),
        ) from None
    signers = parse_keys(raw).dcc
    if not signers:
        raise Invalid(
            "dcc_signers.none",
            Words(
                f"Tệp {file} không có khóa nào ký được giấy chứng nhận sức khỏe.",
                f"{file} holds no key that can sign a health certificate.",
            ),
        )
    return signers


def load_dhis2(file: Path | None) -> Mapping | None:
    """What this installation's DHIS2 calls things, by the file that the setting names; None without one.

    Raises :class:`Invalid` ``dhis2.file`` or ``dhis2.mapping`` for a file that is of no use.
    """
    if file is None:
        return None
    try:
        with file.open("rb") as opened:
            return read_mapping(opened.read(MAPPING_MAX_BYTES + 1))
    except OSError:
        raise Invalid(
            "dhis2.file",
            Words(f"Không đọc được tệp {file} (MOTMA_DHIS2_MAPPING).", f"{file} (MOTMA_DHIS2_MAPPING) cannot be read."),
        ) from None


def application(settings: Settings, *, clock: Callable[[], dt.datetime] = utc_now) -> ASGIApp:
    """The server's application, with the worker inside."""

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[House]:
        async with build(settings, clock=clock) as built:
            workers = [asyncio.create_task(work(built.identify, clock)), asyncio.create_task(built.tellers.run())]
            # What is here now stays: the collector need not walk it at every full collection (p99 30 -> 10-15 ms).
            gc.collect()
            gc.freeze()
            gc.set_threshold(10_000, 20, 50)
            try:
                yield built.house
            finally:
                gc.unfreeze()
                for worker in workers:
                    worker.cancel()
                await asyncio.wait(workers)

    return create_app(lifespan)
