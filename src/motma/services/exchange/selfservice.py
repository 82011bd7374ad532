"""A sandbox's self-service: anybody registers a platform for a week and gets a way in at once.

Bounded twice: so many from one address in an hour (in the memory of this process), so many that live in all.
"""

import base64
import datetime as dt
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from motma.core.platformkeys import read_platform_key
from motma.core.platforms import EVERYDAY, SELF, PlatformNow
from motma.core.words import Words
from motma.services.enrol import Enrol
from motma.services.exchange.platforms import Platforms
from motma.services.exchange.quotas import OverQuota

AN_HOUR = 10
PER_SECOND, PER_DAY = 10, 5_000
"""What a platform in a sandbox may ask."""

_HOUR = dt.timedelta(hours=1)
_ADDRESSES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Served:
    """A platform that was just made. ``token``: a plain one, shown once; ``kid``: of the key that was handed in, ""."""

    platform: PlatformNow
    token: str
    kid: str


class SelfService:
    """Lets platforms into a sandbox. There is none in production."""

    def __init__(self, *, platforms: Platforms, enrol: Enrol, random: Callable[[int], bytes]) -> None:
        self._platforms = platforms
        self._enrol = enrol
        self._random = random
        self._came: OrderedDict[str, tuple[dt.datetime, int]] = OrderedDict()

    async def serve(self, name: str, key: str, address: str, now: dt.datetime) -> Served:
        """Register a platform called ``name`` with its public ``key``, if it has one.

        Raises :class:`Invalid` ``platform.fields``, ``platform_key.*``, :class:`Conflict` ``sandbox.full``,
        :class:`OverQuota` ``sandbox.too_many``.
        """
        kid = read_platform_key(key)[0] if key else ""
        self._count(address, now)
        id = "SB-" + base64.b32encode(self._random(5)).decode()
        made = await self._platforms.register(
            id, name, scopes=EVERYDAY, per_second=PER_SECOND, per_day=PER_DAY, by=SELF, now=now
        )
        if key:
            made = await self._platforms.add_key(id, key, by=SELF, now=now)
        return Served(made, await self._enrol.register_platform(id, made.name, now), kid)

    def _count(self, address: str, now: dt.datetime) -> None:
        since, came = self._came.get(address, (now, 0))
        if not dt.timedelta(0) <= now - since < _HOUR:
            since, came = now, 0
        if came >= AN_HOUR:
            raise OverQuota(
                "sandbox.too_many",
                Words(
                    f"Mỗi địa chỉ đăng ký được {AN_HOUR} nền tảng một giờ. Dùng lại nền tảng đã có, hoặc chờ.",
                    f"An address may register {AN_HOUR} platforms an hour. Use one that you have, or wait.",
                ),
                limit=AN_HOUR,
                window=int(_HOUR.total_seconds()),
                retry_after_seconds=int((since + _HOUR - now).total_seconds()) + 1,
            )
        self._came[address] = (since, came + 1)
        self._came.move_to_end(address)
        if len(self._came) > _ADDRESSES_MAX:
            self._came.popitem(last=False)
