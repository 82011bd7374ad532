"""Our code in Python: verifying it and issuing it, over the bare signature operations on the very same bytes."""

import statistics
import time
import zlib
from collections.abc import Callable

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from bench.specimen import claims, signer
from motma.core import base45
from motma.core.code import TrustedKey, issue_code, verify_code

_CALLS, _ROUNDS = 60, 121


def ratios() -> dict[str, float]:
    """Time of the whole ÷ time of the bare operation: ES256 verify, and the deterministic ES256 sign that we use."""
    said, key = claims(), signer()
    text = issue_code(said, key)
    ring = {key.kid: (TrustedKey(key.kid, key.public, said.issuer, said.issued_at),)}
    protected, _, payload, signature = cbor2.loads(zlib.decompress(base45.decode(text))).value
    message = cbor2.dumps(["Signature1", protected, b"", payload])
    der = utils.encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    public, private = key.public, key.private
    verify, sign = ec.ECDSA(hashes.SHA256()), ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    return {
        "verify_over_bare": ratio(lambda: verify_code(text, ring), lambda: public.verify(der, message, verify)),
        "issue_over_bare_sign": ratio(lambda: issue_code(said, key), lambda: private.sign(message, sign)),
    }


def ratio(ours: Callable[[], object], floor: Callable[[], object]) -> float:
    """Median over short rounds that take turns, in CPU time, so that what else the machine does hits both alike."""

    def once(work: Callable[[], object]) -> float:
        started = time.thread_time()
        for _ in range(_CALLS):
            work()
        return time.thread_time() - started

    once(ours), once(floor)
    return statistics.median(once(ours) / once(floor) for _ in range(_ROUNDS))
