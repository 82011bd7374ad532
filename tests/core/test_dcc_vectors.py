"""The EU's own vectors, where they are: every flag of every file."""

import base64
import binascii
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from motma.core import base45, cose
from motma.core.errors import Invalid
from motma.core.legacy import dcc
from motma.core.legacy.dcc import Dcc, read_dcc
from motma.core.legacy.dcc_anchors import parse_dcc_anchors
from motma.core.legacy.dcc_schema import what_is_wrong
from motma.core.legacy.reading import Anchors, DccAnchor

VECTORS = Path(__file__).parents[3] / "shared" / "testdata" / "dgc"
NOW = dt.datetime(2022, 3, 1, 8, tzinfo=dt.UTC)

FILES = sorted(VECTORS.glob("**/*.json"))


def clock(text: str) -> dt.datetime:
    """Their clocks have up to nine digits of a second."""
    moment = dt.datetime.fromisoformat(re.sub(r"\.[0-9]+", "", text).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def comparable(item: Any) -> Any:
    """Without what JSON, CBOR and their makers write in different ways: order, and the spelling of a moment."""
    if isinstance(item, Mapping):
        return {key: comparable(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [comparable(value) for value in item]
    text = item.isoformat() if isinstance(item, dt.datetime) else item
    if isinstance(text, str) and re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text):
        return clock(text).astimezone(dt.UTC)
    return text


class Vector:
    """One file of the EU's test data: each flag names what should come of one step."""

    def __init__(self, path: Path) -> None:
        self.parts = json.loads(path.read_text("utf-8-sig"))
        self.context = self.parts["TESTCTX"]

    def bytes_of(self, part: str) -> bytes:
        return binascii.unhexlify(self.parts[part])

    def dcc(self) -> Dcc:
        return dcc.content_of(dcc.parse_dcc(self.bytes_of("COSE")))

    def signers(self) -> tuple[DccAnchor, ...]:
        return parse_dcc_anchors(base64.b64decode(self.context["CERTIFICATE"]))

    def picture(self) -> None:
        image = Image.open(io.BytesIO(base64.b64decode(self.parts["2DCODE"]))).convert("RGB")
        framed = Image.new("RGB", (image.width + 80, image.height + 80), "white")  # some lack the quiet zone
        framed.paste(image, (40, 40))
        assert [code.text for code in zxingcpp.read_barcodes(framed)] == [self.parts["PREFIX"]]

    def unprefix(self) -> None:
        assert dcc.unprefix(self.parts["PREFIX"]) == self.parts["BASE45"]

    def base45(self) -> None:
        assert base45.decode(self.parts["BASE45"]) == self.bytes_of("COMPRESSED")

    def compression(self) -> None:
        assert dcc.unsqueeze(self.bytes_of("COMPRESSED")) == self.bytes_of("COSE")

    def decode(self) -> None:
        content = cose.decode_cbor(self.bytes_of("CBOR"))
        assert comparable(self.dcc().content) == comparable(content.get(-260, {}).get(1, content))

    def valid_json(self) -> None:
        content = dcc.content_of(dcc.parse_dcc(dcc.unpack(self.parts["PREFIX"]))).content
        assert comparable(content) == comparable(self.parts["JSON"])

    def verify(self) -> None:
        dcc.signer_of(dcc.parse_dcc(self.bytes_of("COSE")), Anchors(dcc=self.signers()))

    def expiration(self) -> None:
        dcc.check_times(self.dcc(), clock(self.context["VALIDATIONCLOCK"]))

    def schema(self) -> None:
        dcc.check_schema(self.dcc())

    def valid_object(self) -> None:
        assert what_is_wrong(self.parts["JSON"], None) == ()

    def key_usage(self) -> None:
        found = self.dcc()
        dcc.check_key(found, self.signers()[0], found.issued_at)


FLAGS: dict[str, tuple[Callable[[Vector], None], tuple[str, ...]]] = {
    "EXPECTEDPICTUREDECODE": (Vector.picture, ("2DCODE", "PREFIX")),
    "EXPECTEDUNPREFIX": (Vector.unprefix, ("PREFIX", "BASE45")),
    "EXPECTEDB45DECODE": (Vector.base45, ("BASE45", "COMPRESSED")),
    "EXPECTEDCOMPRESSION": (Vector.compression, ("COMPRESSED", "COSE")),
    "EXPECTEDDECODE": (Vector.decode, ("COSE", "CBOR")),
    "EXPECTEDVALIDJSON": (Vector.valid_json, ("PREFIX", "JSON")),
    "EXPECTEDVERIFY": (Vector.verify, ("COSE",)),
    "EXPECTEDEXPIRATIONCHECK": (Vector.expiration, ("COSE",)),
    "EXPTECTEDEXPIRED": (Vector.expiration, ("COSE",)),  # Bulgaria's name for the same
    "EXPECTEDSCHEMAVALIDATION": (Vector.schema, ("COSE",)),
    "EXPECTEDVALIDOBJECT": (Vector.valid_object, ("JSON",)),
    "EXPECTEDKEYUSAGE": (Vector.key_usage, ("COSE",)),
}


@pytest.mark.skipif(not FILES, reason="the EU's vectors are not here (../shared/testdata/dgc)")
@pytest.mark.parametrize("path", FILES or [None], ids=lambda path: str(path and path.relative_to(VECTORS)))
def test_the_eus_vectors_come_out_as_they_should(path: Path) -> None:
    vector = Vector(path)
    checked = 0
    for flag, expected in vector.parts["EXPECTEDRESULTS"].items():
        step, needed = FLAGS[flag]
        if not all(part in vector.parts for part in needed):
            continue  # as the data's own guide says: what is not there is not tested
        try:
            step(vector)
            outcome: str | None = None
        except (Invalid, AssertionError) as wrong:
            outcome = repr(wrong)
        assert (outcome is None) is expected, (flag, outcome)
        checked += 1
    assert checked >= 5
    assert read_dcc(vector.parts["PREFIX"], Anchors(dcc=vector.signers()), NOW).trust.holds  # type: ignore[union-attr]
