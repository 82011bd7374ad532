"""The population register: who stands behind the number of an identity document.

:class:`Registry` is what we ask of it; :class:`motma.connectors.registry.osia.OsiaRegistry` asks it over OSIA Data
Access 1.3, and a client of another national service takes its place by implementing the same four questions. Grading
an answer is :func:`motma.core.identity.compare`'s.

Attributes are text; the standard leaves their names open. Ours: ``fullName``, ``dateOfBirth`` (YYYY-MM-DD, or YYYY
where only the year is known), ``sex`` (male, female), ``oldNumber`` (CMND), ``passportNumber``, ``passportCountry``
(ISO 3166-1 alpha-2), ``guardian`` (the UIN of a child's guardian). The UIN is the 12-digit number of a Vietnamese
citizen, and for a foreigner an opaque text that is not 12 digits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from motma.core.errors import Unavailable
from motma.core.words import Words

FOUND_MOST = 10
"""So many people at most are found by one question."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Something that may be true of a person's attribute. Dates are compared as text, which orders them."""

    attribute: str
    operator: Literal["<", ">", "=", ">=", "<="]
    value: str = field(repr=False)


class Registry(Protocol):
    """What a register must be able to answer.

    Every question raises :class:`motma.core.errors.Unavailable` ``register.unavailable`` when the register does not
    answer in time, answers what cannot be understood, or is not asked because it failed too often: the citizen's
    identity is then pending, and they travel. Never an empty answer for "do not know": unknown is not invalid.
    """

    async def find(self, attributes: Mapping[str, str]) -> tuple[str, ...]:
        """UINs of everybody to whom all of this applies: () when nobody, at most ``FOUND_MOST``."""
        ...

    async def match(self, uin: str, attributes: Mapping[str, str]) -> frozenset[str] | None:
        """Names of the attributes that do not match; ``None`` when nobody has this UIN."""
        ...

    async def read(self, uin: str, names: Sequence[str]) -> Mapping[str, str] | None:
        """Attributes by name, without those that the person does not have; ``None`` when nobody has this UIN."""
        ...

    async def verify(self, uin: str, expressions: Sequence[Expression]) -> bool | None:
        """Whether all expressions hold; ``None`` when nobody has this UIN."""
        ...


class NoRegistry:
    """In the place of a register that nobody has named yet: never answers."""

    async def find(self, attributes: Mapping[str, str]) -> tuple[str, ...]:
        """Raises :class:`Unavailable` ``register.unavailable``."""
        raise unavailable()

    async def match(self, uin: str, attributes: Mapping[str, str]) -> frozenset[str] | None:
        """Raises :class:`Unavailable` ``register.unavailable``."""
        raise unavailable()

    async def read(self, uin: str, names: Sequence[str]) -> Mapping[str, str] | None:
        """Raises :class:`Unavailable` ``register.unavailable``."""
        raise unavailable()

    async def verify(self, uin: str, expressions: Sequence[Expression]) -> bool | None:
        """Raises :class:`Unavailable` ``register.unavailable``."""
        raise unavailable()


def unavailable() -> Unavailable:
    """The register does not answer; who waits for it travels meanwhile."""
    return Unavailable(
        "register.unavailable",
        Words(
            "Chưa hỏi được dữ liệu dân cư. Tờ khai vẫn được nhận và sẽ đối soát sau.",
            "The population register does not answer. The declaration is accepted and will be compared later.",
        ),
    )
