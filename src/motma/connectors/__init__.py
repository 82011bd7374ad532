"""The only outbound calls (the population register, the other platforms), and what others send in shapes of their own:
payloads of platforms, tables of offices.

Each connector turns somebody else's shapes into ours and somebody else's trouble into
:class:`motma.core.errors.Unavailable`. Nothing here decides, and nothing here sees the store.
"""
