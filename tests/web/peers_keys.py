"""Runs in .peers, with software that is not ours: verifies one of our codes with each of our two sets of keys.

Reads ``{"code", "cose_keys", "jwks"}`` (hex) and prints the kids of the keys under which the signature holds.
"""

import base64
import json
import sys

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import utils
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cwt import COSE, COSEKey
from joserfc.jwk import KeySet

given = json.load(sys.stdin)
code, cose_keys, jwks = (bytes.fromhex(given[name]) for name in ("code", "cose_keys", "jwks"))
protected, _, payload, signature = cbor2.loads(code).value
kid = cbor2.loads(protected)[4]

keys = [COSEKey.new(key) for key in cbor2.loads(cose_keys)]
_, _, verified = COSE.new().decode_with_headers(code, keys=keys)
assert verified == payload
with_cwt = next(key for key in keys if key.kid == kid)

held = KeySet.import_key_set(json.loads(jwks))
base64url = base64.urlsafe_b64encode(kid).rstrip(b"=").decode()
key = held.get_by_kid(base64url)
public = key.get_op_key("verify")
der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
signed = cbor2.dumps(["Signature1", protected, b"", payload])
public.verify(der, signed, ECDSA(SHA256()))
try:
    public.verify(der, signed + b"x", ECDSA(SHA256()))
    forged = "accepted"
except InvalidSignature:
    forged = "refused"

told = {"cwt": with_cwt.kid.hex(), "joserfc": kid.hex(), "issuer": key.as_dict()["iss"], "forged": forged}
print(json.dumps(told))  # noqa: T201
