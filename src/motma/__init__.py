"""Một Mã: one health declaration, one code, valid on every platform and at every checkpoint.

The rooms, from the doors down to the nouns; every import points down:

- ``web``, ``worker``: what people and platforms knock at, and what runs in the background;
- ``services``: the verbs, each one gather, judge, one transaction, result;
- ``connectors``, ``storage``: the only outbound calls and the only SQL;
- ``core``: everything that decides, as pure functions of bytes and a time.
"""

__version__ = "0.1.0"
