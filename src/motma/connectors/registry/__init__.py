"""The population register: who stands behind the number of an identity document.

One question, one answer. A client of OSIA Data Access 1.3 (``readPersonAttributes``) or of a national
service takes the place of :class:`motma.connectors.registry.population.FictionalRegistry` by implementing
:class:`Registry`; nothing else changes. Grading the answer is :func:`motma.core.identity.compare`'s.
"""

from typing import Protocol

from motma.core.identity import RegisterRecord
from motma.core.ids import Document


class Registry(Protocol):
    """What a register must be able to answer."""

    async def find(self, document: Document) -> RegisterRecord | None:
        """What the register holds for exactly this document; ``None`` when it holds nothing.

        Raises :class:`motma.core.errors.Unavailable` ``register.unavailable`` when it does not answer in time: the
        citizen's identity is then pending, and they travel. Never ``None`` for "do not know": unknown is not invalid.
        """
        ...
