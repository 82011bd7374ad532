"""Every other code in people's pockets: what it is, what it says, and what that is worth.

Most of these codes are plain text that anybody can print. They are read all the same, since they save typing; what
each proves stands beside it in :class:`~motma.core.legacy.reading.Trust`. At a checkpoint a card or the code of 2021
names whose declaration to look for (:mod:`motma.services.shown`); what the same person shows along with it is evidence
(:mod:`motma.services.along`).
"""

import datetime as dt

from motma.core.errors import Problem
from motma.core.legacy.cards import looks_bhyt, looks_cccd, read_bhyt, read_cccd
from motma.core.legacy.claim169 import read_claim169
from motma.core.legacy.dcc import read_dcc
from motma.core.legacy.national import looks_national, read_national
from motma.core.legacy.nzcp import looks_nzcp, read_nzcp
from motma.core.legacy.ours import read_ours
from motma.core.legacy.plain import split
from motma.core.legacy.reading import UNREAD, Anchors, Reading
from motma.core.legacy.shc import looks_shc, read_shc
from motma.core.legacy.unknown import read_unknown
from motma.core.words import Words

TEXT_MAX_CHARS = 10_000
"""More than any QR code holds (7,089 digits)."""

# What keyboards, hand scanners and copying leave around a code. Not the space: base45 ends with one now and then.
_AROUND = "\t\r\n\v\f\x00\x1c\x1d\x1e\x1f\u0085\u200b\u200e\u200f\u2028\u2029\u2060\ufeff"
# A Vietnamese or Chinese keyboard may type digits, letters and bars in full width.
_FULL_WIDTH = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def read(text: str, anchors: Anchors, now: dt.datetime) -> Reading:
    """Say what ``text`` is, what it says, and what it is worth at ``now`` to whoever believes ``anchors``.

    Never raises: what cannot be read is a :class:`Reading` of kind "unknown", or one with problems.
    """
    if len(text) > TEXT_MAX_CHARS:
        return _too_long()
    raw = text.translate(_FULL_WIDTH).strip(_AROUND)
    tidy = raw.strip().strip(_AROUND).strip()
    if looks_shc(tidy):
        return read_shc(tidy, anchors, now)
    if looks_nzcp(tidy):
        return read_nzcp(tidy, anchors, now)
    if "|" in tidy and (plain := _read_plain(tidy)):
        return plain
    readings = [_read_packed(one, anchors, now) for one in dict.fromkeys((raw, tidy))]  # base45 may end with a space
    found = [reading for reading in readings if reading]
    return next((one for one in found if one.kind != "unknown"), found[0] if found else read_unknown(tidy))


def _read_packed(text: str, anchors: Anchors, now: dt.datetime) -> Reading | None:
    """Codes in base45: with a prefix, ours, or any other that holds a Claim 169."""
    return read_dcc(text, anchors, now) or read_ours(text, anchors, now) or read_claim169(text, anchors, now)


def _read_plain(text: str) -> Reading | None:
    parts = split(text)
    if len(parts) < 5:
        return None
    if looks_national(parts):
        return read_national(parts)
    if looks_cccd(parts):
        return read_cccd(parts)
    if looks_bhyt(parts):
        return read_bhyt(parts)
    return None


def _too_long() -> Reading:
    problem = Problem(
        "read.too_long",
        Words("Dài hơn mọi mã QR; không đọc.", "Longer than any QR code can be; not read."),
    )
    return Reading("unknown", {}, UNREAD, (problem,))
