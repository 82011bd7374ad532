"""What the doors stand on: the services, a clock, and a source of tokens. Built in ``wiring.py``."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from motma.services.bundle import BundleDesk
from motma.services.carriers import Carriers
from motma.services.check import Check
from motma.services.declare import Declare
from motma.services.enrol import Enrol
from motma.services.exchange.calls import Calls
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
from motma.services.exchange.tokens import Tokens
from motma.services.exchange.tracing import Tracing
from motma.services.exchange.verify import Verify
from motma.services.exchange.webhooks import Webhooks
from motma.services.permit_import import PermitImport
from motma.services.permits import Permits
from motma.services.plates import Plates
from motma.services.policies import Policies
from motma.services.precheck import Precheck
from motma.services.rehearsalroom import RehearsalRoom
from motma.services.repair import Repair
from motma.services.review import Review
from motma.services.status import StatusDesk
from motma.services.steer import Steer
from motma.services.trust import Trust
from motma.services.trustlist import TrustDesk
from motma.services.wallet import Wallet


@dataclass(frozen=True, slots=True)
class House:
    """Everything a door may use."""

    declare: Declare
    intake: Intake
    afterwards: Afterwards
    sources: Sources
    inbox: Inbox
    events: Events
    verify: Verify
    own_code: OwnCode
    wallets: Wallet
    check: Check
    precheck: Precheck
    repair: Repair
    review: Review
    plates: Plates
    permits: Permits
    permit_import: PermitImport
    policies: Policies
    steer: Steer
    enrol: Enrol
    platforms: Platforms
    tokens: Tokens
    quotas: Quotas
    calls: Calls
    trust_list: TrustDesk
    bundles: BundleDesk
    carriers: Carriers
    status: StatusDesk
    trust: Trust
    rehearsals: RehearsalRoom
    feed: Feed
    webhooks: Webhooks
    tracing: Tracing
    lists: Lists
    clock: Callable[[], dt.datetime]
    new_token: Callable[[], str]
    wallet: Callable[[str], bytes]
    """The keyed hash under which a wallet's token is known."""
    certificate_header: str = ""
    """In which header the proxy in front hands in client certificates; "": none are read."""
    sandbox: SelfService | None = None
    """In a sandbox: where platforms register themselves. None: this is no sandbox, and there is no such page."""
