"""Read codes with software that is not ours; run by ``.peers/bin/python`` with what to read on stdin, as JSON."""

import json
import sys
import zlib
from typing import Any

import base45
import claim169
import cwt


def with_claim169(text: str, point: bytes) -> dict[str, Any]:
    """What the reference decoder of Claim 169 says."""
    read = claim169.decode_with_ecdsa_p256(text, point)
    person, token = read.claim169, read.cwt_meta
    return {
        "verified": read.is_verified(),
        "algorithm": read.algorithm,
        "kid": bytes(read.key_id).hex(),
        "id": person.id,
        "name": person.full_name,
        "born": person.date_of_birth,
        "gender": person.gender,
        "issuer": token.issuer,
        "issued": token.issued_at,
        "expires": token.expires_at,
        "begins": token.not_before,
    }


def with_cwt(text: str, pem: str, kid: bytes) -> dict[str, Any]:
    """What a general CWT library says, after the layers that Claim 169 puts around."""
    key = cwt.COSEKey.from_pem(pem, kid=kid, alg="ES256")
    claims = cwt.decode(zlib.decompress(base45.b45decode(text)), key)
    person = claims[169]
    return {
        "id": person[1],
        "name": person[4],
        "born": person[8],
        "gender": person.get(9),
        "issuer": claims[1],
        "issued": claims[6],
        "expires": claims[4],
        "begins": claims.get(5),
        "point": claims[8][1][-2].hex() if 8 in claims else None,
    }


def refusal(read: Any) -> str:
    """The name of the error with which a reader refuses; empty if it does not."""
    try:
        read()
    except Exception as error:
        return type(error).__name__
    return ""


def main() -> None:
    """Answer on stdout, as JSON."""
    order = json.load(sys.stdin)
    point, pem, kid = bytes.fromhex(order["point"]), order["pem"], bytes.fromhex(order["kid"])
    read = {
        about: {"claim169": with_claim169(text, point), "cwt": with_cwt(text, pem, kid)}
        for about, text in order["codes"].items()
    }
    refused = {
        about: [refusal(lambda t=text: with_claim169(t, point)), refusal(lambda t=text: with_cwt(t, pem, kid))]
        for about, text in order["forged"].items()
    }
    json.dump({"read": read, "refused": refused}, sys.stdout)


if __name__ == "__main__":
    main()
