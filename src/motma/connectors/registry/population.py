"""The fictional population answering in this process, as it did before the register became a program of its own.

Goes when nobody asks it any more; the people live in :mod:`motma.register.population`.
"""

import asyncio
import datetime as dt
from dataclasses import dataclass, field

from motma.core.errors import Unavailable
from motma.core.identity import RegisterRecord
from motma.core.ids import Document
from motma.core.words import Words
from motma.register.population import SIZE_MAX, Person, Population

__all__ = ["SIZE_MAX", "FictionalRegistry", "Person", "Population"]


@dataclass(slots=True)
class FictionalRegistry:
    """A :class:`motma.connectors.registry.Registry` over a population, with faults to switch on.

    While ``outage`` is set every question fails with ``register.unavailable``; ``latency`` is how long an answer or a
    failure takes.
    """

    population: Population
    outage: bool = False
    latency: dt.timedelta = field(default=dt.timedelta(0))

    async def find(self, document: Document) -> RegisterRecord | None:
        if self.latency:
            await asyncio.sleep(self.latency.total_seconds())
        if self.outage:
            raise Unavailable(
                "register.unavailable",
                Words(
                    "Chưa hỏi được dữ liệu dân cư. Tờ khai vẫn được nhận và sẽ đối soát sau.",
                    "The population register does not answer. The declaration is accepted and will be compared later.",
                ),
            )
        person = self.population.find(document)
        return person.record if person else None
