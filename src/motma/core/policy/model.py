"""What a policy is made of, in the order in which it is written."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from motma.core.reasons import Outcome
from motma.core.words import Words

AS_READ = "code.*"
"""The reason of the one kind of rule that owns none: what the reading of the code said (``code.problem``)."""


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A test of a rule: ``evidence`` is laid over the specimen (RFC 7396); ``holds``: what must come of it."""

    about: str
    evidence: dict[str, Any]
    holds: bool


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What has to hold, as CertLogic over the evidence, and what is said where it does not.

    ``affected`` are the fields on which it depends: it may read no others. ``known`` false: nothing was learnt.
    ``verdict`` ``accept`` is a remark that stops nobody; it alone may ``waive`` policies: while it is made, they have
    nothing to say. With the reason :data:`AS_READ` the rest is as the reading of
    the code says, and ``verdict``, ``words`` and ``cure`` are None.
    """

    id: str
    affected: tuple[str, ...]
    holds: Any
    verdict: Outcome | None = None
    known: bool = True
    waives: tuple[str, ...] = ()
    reason: str
    words: Words | None = None
    cure: Words | None = None
    tests: tuple[Trial, ...]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules that are switched on together, in order; in force from ``valid_from`` to before ``valid_to``.

    ``values`` are what its rules read as ``values.NAME``: texts, integers, truths, lists of them, and expressions,
    which may read the ones before them.
    """

    id: str
    version: int
    title: Words
    valid_from: dt.datetime
    valid_to: dt.datetime | None = None
    values: Mapping[str, Any] = {}
    rules: tuple[Rule, ...]
