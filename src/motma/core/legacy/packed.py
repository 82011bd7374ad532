"""Squeezing undone under a cap: how signed codes of others fit so much into one square.

Refuses what would swell past the cap, what is cut off, and what goes on after its end; knows nothing of the content.
"""

import zlib


def inflate(squeezed: bytes, max_bytes: int) -> bytes:
    """What a zlib stream (RFC 1950) holds. Raises :class:`ValueError` for anything but one whole stream under the cap.

    Never makes more than ``max_bytes`` of it, whatever the stream says.
    """
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(squeezed, max_bytes)
    except zlib.error as broken:
        raise ValueError("not zlib") from broken
    if not inflater.eof or inflater.unused_data:
        raise ValueError("cut off, too large, or followed by something")
    return inflated
