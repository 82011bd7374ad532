"""How the register fails on demand: slow, failing, away, wrong, or silent for ever."""

from typing import Annotated

import msgspec

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Faults(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is switched on; everything off by default. Holds for the questions and for the token endpoint.

    ``wrong_rate`` does not: an answer is wrong when it is well formed and about somebody else.
    """

    latency_ms: Annotated[float, msgspec.Meta(ge=0, le=600_000)] = 0
    """Every answer comes so much later."""
    error_rate: _Share = 0
    """The share of requests that get 500."""
    outage: bool = False
    """Every request gets 503."""
    wrong_rate: _Share = 0
    """The share of questions that are answered as if somebody else had been asked about."""
    hang: bool = False
    """Requests are read and never answered."""
    revoke_tokens: bool = False
    """When this is set, all tokens given so far end, once."""
