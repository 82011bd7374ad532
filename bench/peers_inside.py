"""Measured by ``bench/peers.py``: run by ``.peers/bin/python`` with what to verify on stdin, the ratios on stdout."""

import json
import statistics
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

import base45
import claim169
import cwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from joserfc import jws
from joserfc.jwk import ECKey

CALLS, ROUNDS = 100, 11
ES256 = ec.ECDSA(hashes.SHA256())


def main() -> None:
    """Each reader, given its keys beforehand, from the text of the QR to what it says of the person."""
    order = json.load(sys.stdin)
    text, card, qid = order["text"], order["card"], order["qid"]
    point = bytes.fromhex(order["point"])
    cose_key = cwt.COSEKey.from_pem(order["pem"], kid=bytes.fromhex(order["kid"]), alg="ES256")
    jose_key = ECKey.import_key(order["pem"])
    registry = jws.JWSRegistry(strict_check_header=False)  # health cards say "zip", which no JWS does

    def with_cwt() -> str:
        claims: Any = cwt.decode(zlib.decompress(base45.b45decode(text)), cose_key)
        return str(claims[169][1])

    def with_claim169() -> str:
        return str(claim169.decode_with_ecdsa_p256(text, point).claim169.id)

    def with_joserfc() -> str:
        digits = card.removeprefix("shc:/")
        compact = "".join([chr(int(digits[at : at + 2]) + 45) for at in range(0, len(digits), 2)])
        content = json.loads(
            zlib.decompress(jws.deserialize_compact(compact, jose_key, registry=registry).payload, -15)
        )
        return str(content["vc"]["credentialSubject"]["fhirBundle"]["entry"][0]["resource"]["identifier"][0]["value"])

    readers = {"peer_cwt": with_cwt, "peer_claim169": with_claim169, "peer_joserfc_shc": with_joserfc}
    for name, read in readers.items():
        if read() != qid:
            raise RuntimeError(f"{name} does not read who it is")
    bare = floor(text, order["pem"])
    json.dump({f"{name}_over_bare": ratio(read, bare) for name, read in readers.items()}, sys.stdout)


def floor(text: str, pem: str) -> Callable[[], object]:
    """The signature of the code, verified and nothing else."""
    cose = zlib.decompress(base45.b45decode(text))
    public = serialization.load_pem_public_key(pem.encode())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    signed = b"\x84\x6aSignature1" + cose[2:16] + b"\x40" + cose[17:-66]
    r, s = int.from_bytes(cose[-64:-32], "big"), int.from_bytes(cose[-32:], "big")
    signature = utils.encode_dss_signature(r, s)
    return lambda: public.verify(signature, signed, ES256)


def ratio(work: Callable[[], object], bare: Callable[[], object]) -> float:
    """The median over rounds in which both take turns."""
    timed(work), timed(bare)
    return statistics.median(timed(work) / timed(bare) for _ in range(ROUNDS))


def timed(work: Callable[[], object]) -> float:
    """Seconds of this process for so many calls; what others do on the machine does not count."""
    started = time.process_time()
    for _ in range(CALLS):
        work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
