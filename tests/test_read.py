"""``motma read``: pictures and texts of every kind, and what the exit code says."""

import datetime as dt
import io
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import zxingcpp
from PIL import Image
from rich.console import Console

from motma.cli import main

VECTORS = Path(__file__).parents[1] / "vectors" / "legacy"
SHC = json.loads((VECTORS / "shc.json").read_text("utf-8"))
NZCP = json.loads((VECTORS / "nzcp.json").read_text("utf-8"))
CARD = "999190123456|999345678|Trần Thị Bé|01021990|Nữ|Số 1, Xã X, Tỉnh Z|15042021"


class Told(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Told]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    # The module's name is the command's too, so the module is found by way of sys.modules.
    module = vars(sys.modules["motma.cli.read"])
    monkeypatch.setitem(module, "console", Console(width=140))
    monkeypatch.setitem(module, "utc_now", lambda: dt.datetime.fromtimestamp(NZCP["now"], dt.UTC))

    def once(*arguments: str | Path, stdin: bytes = b"") -> Told:
        with monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["motma", "read", *map(str, arguments)])
            patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            code = 0
            try:
                main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Told(code, *capsys.readouterr())

    return once


def qr(text: str, kind: Any = zxingcpp.BarcodeFormat.QRCode) -> Image.Image:
    image: Any = zxingcpp.create_barcode(text, kind).to_image(scale=4, add_quiet_zones=True)
    pixels = memoryview(image)
    height, width = pixels.shape[:2]
    return Image.frombytes("L", (width, height), pixels.tobytes())


def beside(*pictures: Image.Image) -> Image.Image:
    whole = Image.new("L", (sum(one.width for one in pictures), max(one.height for one in pictures)), 255)
    left = 0
    for one in pictures:
        whole.paste(one, (left, 0))
        left += one.width
    return whole


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "gif", "tiff"])
def test_a_picture_of_any_kind(run: Run, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"thẻ căn cước.{ending}"
    qr(CARD).save(file)
    told = run(file)
    assert (told.code, told.err) == (0, "")
    assert "Thẻ căn cước công dân" in told.out and "Trần Thị Bé" in told.out and "1990-02-01" in told.out


def test_numbers_are_masked_unless_one_asks(run: Run) -> None:
    masked, whole = run(CARD), run(CARD, "--full")
    assert "••••3456" in masked.out and "999190123456" not in masked.out and "999345678" not in masked.out
    assert "999190123456" in whole.out and "999345678" in whole.out


def test_json_for_programs(run: Run) -> None:
    told = run(CARD, "--json")
    (reading,) = json.loads(told.out)
    assert (reading["kind"], reading["fields"]["document_number"]) == ("cccd", "999190123456")
    assert reading["trust"]["signed"] is False and "proves nothing" in reading["trust"]["en"]


def test_text_from_a_file_and_from_standard_input(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "card.txt"
    file.write_text(CARD + "\n", encoding="utf-8-sig")
    picture = io.BytesIO()
    qr(CARD).save(picture, "PNG")
    for told in (run(file), run("-", stdin=CARD.encode()), run("-", stdin=picture.getvalue())):
        assert told.code == 0 and "Trần Thị Bé" in told.out


def test_every_code_in_a_picture(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "two.png"
    beside(qr(CARD), qr("https://qr.pccovid.gov.vn/x"), qr("ABCD", zxingcpp.BarcodeFormat.Aztec)).save(file)
    told = run(file, "--json")
    assert told.code == 0
    assert sorted(reading["kind"] for reading in json.loads(told.out)) == ["cccd", "unknown", "unknown"]
    assert "1/3" in run(file).out


def test_the_parts_of_a_card_in_one_picture(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "parts.png"
    beside(*(qr(case["text"]) for case in SHC["cases"] if "of two parts" in case["about"])).save(file)
    told = run(file, "--json")
    (reading,) = json.loads(told.out)
    assert reading["fields"]["name"] == "Dana Test Sample"


def test_what_is_transparent_is_paper(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "clear.png"
    ink = qr(CARD).point(lambda value: 255 - value)
    picture = Image.new("RGBA", ink.size, (0, 0, 0, 0))
    picture.putalpha(ink)
    picture.save(file)
    assert run(file).code == 0


@pytest.mark.parametrize(
    ("about", "code", "said"),
    [
        ("valid", 0, "signature holds"),
        ("bad public key", 1, "altered or forged"),
        ("modified payload", 1, "altered or forged"),
        ("expired", 1, "expired"),
        ("not active", 1, "not valid yet"),
        ("public key not found", 0, "not known here"),
        ("not base 32", 2, "damaged New Zealand"),
    ],
)
def test_the_exit_code_says_what_it_is_worth(run: Run, tmp_path: Path, about: str, code: int, said: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(NZCP["keys"]))
    text = next(case["text"] for case in NZCP["cases"] if case["about"] == about)
    told = run(text, "--keys", keys)
    assert (told.code, told.err) == (code, "") and said in " ".join(told.out.split())


def test_keys_of_several_files(run: Run, tmp_path: Path) -> None:
    files = []
    for name, vectors in (("a", SHC), ("b", NZCP)):
        files += ["--keys", tmp_path / name]
        (tmp_path / name).write_text(json.dumps(vectors["keys"]))
    for vectors in (SHC, NZCP):
        (reading,) = json.loads(run(vectors["cases"][0]["text"], "--json", *files).out)
        assert reading["trust"]["holds"] is True


def _bomb(width: int, height: int) -> bytes:
    """A PNG of so many pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def _cut() -> bytes:
    out = io.BytesIO()
    qr(CARD).resize((600, 600)).save(out, "JPEG")
    return out.getvalue()[:2_000]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "read.empty"),
        (b"\x00\x01\x02", "read.not_a_picture"),
        (b"%PDF-1.7\n1 0 obj", "read.not_a_picture"),
        (b"\xff\xd8\xff\xe0nothing", "read.picture_damaged"),
        (bytes(range(256)) * 400, "read.not_a_picture"),
        (b"a" * 100_000, "read.not_a_picture"),
        (_bomb(100_000, 100_000), "read.picture_too_large"),
        (_bomb(30_000, 10), "read.picture_too_large"),
        (_bomb(2**31 - 1, 2**31 - 1), "read.picture_too_large"),
        (_bomb(500, 500), "read.picture_damaged"),
        (_cut(), "read.picture_damaged"),
    ],
    ids=["nothing", "bytes", "pdf", "half a jpeg", "noise", "long text", "bomb", "strip", "giant", "no pixels", "cut"],
)
def test_what_cannot_be_read_is_said(run: Run, tmp_path: Path, content: bytes, code: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    for told in (run(file), run("-", stdin=content)):
        assert told.code == 2 and code in told.out + told.err
        assert "Traceback" not in told.err and told.err.count("\n") <= 1


def test_an_empty_picture_a_missing_file_a_folder(run: Run, tmp_path: Path) -> None:
    Image.new("RGB", (300, 300), "white").save(tmp_path / "white.png")
    for what, code in (
        (tmp_path / "white.png", "read.no_code"),
        (tmp_path / "nothing.png", "read.no_file"),
        (tmp_path, "read.file"),
    ):
        told = run(what)
        assert (told.code, told.out) == (2, "") and f"[{code}]" in told.err
    for keys, code in ((tmp_path / "nowhere", "read.file"), (tmp_path / "white.png", "keys.unreadable")):
        told = run(CARD, "--keys", keys)
        assert (told.code, told.out) == (2, "") and f"[{code}]" in told.err


def test_nothing_that_is_typed_is_taken_for_a_file(run: Run) -> None:
    for text in ("x" * 9_000, "a\0b", "https://evil.test/a.png", "a|b|c.png", "[red]x[/nothing]"):
        told = run(text)
        assert told.code == 2 and told.err == "", text[:40]


def test_a_process_of_its_own(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "motma", "read", "-"],
        input=CARD.encode(),
        capture_output=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "MOTMA_DATA": str(tmp_path / "data"), "PYTHONIOENCODING": "utf-8"},
    )
    assert ended.returncode == 0 and "Trần Thị Bé" in ended.stdout.decode()
    assert list(tmp_path.iterdir()) == [], "reading leaves nothing behind"
