"""A small policy as somebody would write it."""

SMALL = """\
# From the order of 30 July 2021: nobody outside from 18:00 to 06:00.
id: night
version: 1
title: ["Giờ giới nghiêm thử", "A curfew to try"]
valid_from: 2021-07-26T18:00:00+07:00
rules:
  - id: night.curfew
    affected: [declaration.health]   # any field will do here
    holds: {"!": [{"===": [{var: declaration.health}, contact]}]}
    verdict: reject
    reason: night.curfew
    words: ["Đang giờ giới nghiêm.", "There is a curfew now."]
    cure: ["Ở lại đến 6 giờ sáng.", "Stay until six in the morning."]
    tests:
      - about: by day
        evidence: {}
        holds: true
      - about: by night
        evidence: {declaration: {health: contact}}
        holds: false
"""


def version(n: int, **changes: str) -> str:
    """The same, as version ``n``; in place of each text in ``changes``' names (``_`` for space) its value."""
    text = SMALL.replace("version: 1", f"version: {n}")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text
