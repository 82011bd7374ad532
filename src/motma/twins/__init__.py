"""Platform twins: small stand-ins of Bluezone, NCOVI, tokhaiyte.vn and the police's movement declaration.

``motma platform serve NAME`` runs one: a program of its own with its own form, its own database, its own receiver of
webhooks and its own scanner, which speaks to the exchange over HTTP only, as the real systems would. They show that
four separate systems are interlinked; they are not the official services and hold nobody's real data.

Rooms: store (what it keeps), exchange (what it asks and sends), letters (what is still to be sent), receiver (what it
is told, by webhook and feed), keys and scanner (what it judges by itself), app and pages the doors, program what is
run; forms, and a file for each twin.
See ``docs/twins.md``.
"""
