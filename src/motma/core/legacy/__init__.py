"""Every other code in people's pockets: what it is, what it says, and what that is worth.

Most of these codes are plain text that anybody can print. They are read all the same, since they save typing; what
each proves stands beside it in :class:`~motma.core.legacy.reading.Trust`. Nothing read here opens a barrier: the judge
believes :mod:`motma.core.code` alone.
"""
