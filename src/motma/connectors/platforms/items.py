"""What a connector is, and what it makes of a payload.

A connector is a pure translation: bytes in, items out, and back. It opens nothing, waits for nobody and keeps nothing,
so everything it can say is permanent: :class:`motma.core.errors.Invalid`, naming *their* fields. What is temporary
(the register, the store) is the door's business.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from motma.core.errors import Problem


class Sent(msgspec.Struct, frozen=True):
    """A declaration: ``raw`` in the shape of ``POST /v1/declarations``, what ours has no place for under ``extra``.

    ``key``: the same for every delivery of the same declaration; "" if the payload has nothing to go by. ``names``: our
    dotted path -> their field, for :func:`in_their_names`.
    """

    raw: dict[str, Any]
    key: str = ""
    names: Mapping[str, str] = {}


class Reported(msgspec.Struct, frozen=True):
    """A health event: ``raw`` in the shape of ``POST /v1/health-events``; ``key`` and ``names`` as of a declaration."""

    raw: dict[str, Any]
    key: str = ""
    names: Mapping[str, str] = {}


class Skipped(msgspec.Struct, frozen=True):
    """One of several that nothing can be made of; the others count. ``fields``: their field -> what is wrong."""

    why: Problem
    fields: Mapping[str, Problem] = {}


Item = Sent | Reported | Skipped


class Connector(Protocol):
    """One platform's own form of things."""

    @property
    def name(self) -> str:
        """What ``POST /v1/inbox/{name}`` and a platform's registration call it."""
        ...

    @property
    def content_types(self) -> tuple[str, ...]:
        """Media types it reads, without parameters; what :meth:`to_theirs` writes is of the first."""
        ...

    def to_ours(self, body: bytes, content_type: str, now: dt.datetime) -> tuple[Item, ...]:
        """What ``body`` says. Raises :class:`motma.core.errors.Invalid` ``inbox.*`` if that is nothing at all."""
        ...

    def to_theirs(self, sent: Mapping[str, Any]) -> bytes:
        """A declaration, in the shape of ``POST /v1/declarations``, as this platform writes one.

        One that came through this connector comes back as it was sent, in the connector's normal form.
        """
        ...


def in_their_names(problems: Mapping[str, Problem], names: Mapping[str, str]) -> dict[str, Problem]:
    """What is wrong with our fields, by the fields of theirs that they were made from.

    The nearest name counts: ``trip.origin`` for ``trip.origin.commune``. A field with none keeps ours.
    """
    found: dict[str, Problem] = {}
    for path, problem in problems.items():
        here = path
        while here and here not in names:
            here = here.rpartition(".")[0]
        found.setdefault(names.get(here, path), problem)
    return found
