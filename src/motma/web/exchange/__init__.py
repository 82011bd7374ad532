"""The platforms' door: a system sends what its own users declared, gets the citizen's one code, and is told of changes.

Everything here needs an access token with the scope that a route names; see ``docs/exchange-api.md``.
"""
