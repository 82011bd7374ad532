"""The conformance kit: what a platform must do before it is interlinked, tried against the platform itself.

``motma conformance URL`` starts an exchange of its own on this machine, stands between it and the platform, and drives
the platform through the small interface of ``docs/twins.md``. Rooms: front (between the two: sees all, and fails on
demand), exchange (the one that is started), platform (the one under trial), trial (what a case stands on), codes,
sending and telling (the cases), report (what is said in the end, signed), takehome (the kit for engineers).
"""
