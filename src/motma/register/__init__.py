"""The fictional population register: a program of its own that speaks OSIA Data Access 1.3 (ITU-T X.1281).

``motma register serve`` runs it. The rest of the house sees it only over HTTP, as it would see a real one; its people
(:mod:`motma.register.population`) do not exist. Rooms: population and names say who there is, answers what is asked of
them, tokens who may ask, faults how it fails on demand, app the doors, program what is run.

Nothing of it belongs to a server that works with a real register.
"""
