"""Which platform may follow which citizen: one that declared them, from its first declaration on.

What is declared under one number is followed under every number that turns out to be the same citizen's, and no longer
when the two are parted. A refused declaration links nobody.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from motma.core.facts import Accepted, Fact, Parted, Took
from motma.core.ids import FactId, Qid

LINKING = ("declaration.accepted", "citizen.took", "citizen.parted")
"""The kinds of facts that :func:`fold_links` heeds."""


class Link(NamedTuple):
    """``platform`` follows the number ``qid`` from the fact numbered ``seq`` on; ``via``: under which number it
    declared, or by way of which it came here; ``declaration``: the newest that it sent."""

    qid: Qid
    platform: str
    via: Qid
    seq: int
    declaration: FactId


def followed(fact: Fact) -> str | None:
    """The platform that this fact links to its citizen; a citizen's own page is none."""
    what = fact.what
    return what.source if isinstance(what, Accepted) and fact.qid and what.source != "page" else None


def fold_links(
    qid: Qid, history: Iterable[tuple[int, Fact]], links_of: Callable[[Qid], Iterable[Link]]
) -> tuple[Link, ...]:
    """The links of a citizen after (seq, fact) of all that happened to them, oldest first, in order of key.

    ``links_of`` tells those of another number that this one took; they count from then on.
    """
    found: dict[tuple[str, Qid], Link] = {}
    took: dict[Qid, int] = {}
    for seq, fact in history:
        what = fact.what
        if platform := followed(fact):
            join(found, Link(qid, platform, qid, seq, fact.id))
        elif isinstance(what, Took):
            took.setdefault(what.other, seq)
        elif isinstance(what, Parted):
            took.pop(what.other, None)
    for other, since in took.items():
        for link in links_of(other):
            join(found, Link(qid, link.platform, other, max(since, link.seq), link.declaration))
    return tuple([found[key] for key in sorted(found)])


def join(found: dict[tuple[str, Qid], Link], link: Link) -> None:
    """Put ``link`` among those of its citizen: the first seq counts, and the newest declaration."""
    key = (link.platform, link.via)
    held = found.get(key)
    if held:
        link = link._replace(seq=min(held.seq, link.seq), declaration=max(held.declaration, link.declaration))
    found[key] = link
