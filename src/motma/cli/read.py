"""``motma read``: what any code is, what it says, and what that is worth; from a picture or from its text."""

import datetime as dt
import io
import json
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import zxingcpp
from PIL import Image, UnidentifiedImageError
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from motma.cli.terminal import console
from motma.core.errors import Invalid
from motma.core.legacy import read as read_text
from motma.core.legacy.keys import MAX_BYTES as KEYS_MAX_BYTES
from motma.core.legacy.keys import parse_keys
from motma.core.legacy.reading import FIELD_WORDS, KIND_WORDS, SENSITIVE, Anchors, Reading, Trust, Value
from motma.core.legacy.shc import join_parts
from motma.core.words import Words
from motma.wiring import utc_now

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_FILE_MAX_BYTES = 32 << 20
_PIXELS_MAX = 60_000_000
_SIDE_MAX = 20_000
_CODES_MAX = 50
_TEXT_FILE_MAX_BYTES = 64 << 10
_PICTURES = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000")
_PICTURE_ENDINGS = {
    "png",
    "jpg",
    "jpeg",
    "webp",
    "gif",
    "bmp",
    "tif",
    "tiff",
    "ppm",
    "pgm",
    "avif",
    "jp2",
    "heic",
    "pdf",
}
_VALUES = {
    ("sex", "male"): Words("Nam", "male"),
    ("sex", "female"): Words("Nữ", "female"),
    ("sex", "other"): Words("Khác", "other"),
    ("declared_by", "self"): Words("Tự khai", "themselves"),
    ("declared_by", "other"): Words("Người khác khai", "somebody else"),
    ("verdict", "accept"): Words("Được qua", "go"),
    ("verdict", "manual"): Words("Kiểm tra", "check"),
    ("verdict", "reject"): Words("Không qua", "stop"),
    ("shown_as", "live"): Words("Trực tiếp trên máy của chủ mã", "live on its holder's phone"),
    ("shown_as", "stale"): Words("Trên máy, nhưng đã lâu", "on a phone, but some time ago"),
    ("shown_as", "static"): Words("Ảnh hoặc giấy", "a picture or paper"),
}
_MATRIX = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.AllMatrix])


@click.command("read", short_help="Say what any code is, and what it proves.")
@click.argument("what", metavar="FILE|TEXT")
@click.option("--json", "as_json", is_flag=True, help="A JSON list instead of tables; numbers stand there whole.")
@click.option("--full", is_flag=True, help="Show the numbers of documents and phones whole.")
@click.option(
    "--keys",
    "key_files",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Public keys to believe: a JWK set (ours: /.well-known/jwks.json), a DID document, PEM. May be given again.",
)
def read(what: str, as_json: bool, full: bool, key_files: tuple[Path, ...]) -> None:
    """Say what any code is: ours, identity and insurance cards, codes of 2021, vaccine passports, health cards.

    FILE is a picture with one code or several (PNG, JPEG, WebP, …; no PDF) or a file with the text of one. TEXT is what
    a scanner read. With - it comes from standard input. Nothing is sent anywhere and nothing is kept.

    Exit code 0: read. 1: read, but forged, expired or signed by whom it must not be. 2: not read.
    """
    anchors = _believed(key_files)
    now = utc_now()
    readings = [read_text(text, anchors, now) for text in _texts(what)]
    if as_json:
        click.echo(json.dumps([_plain(reading) for reading in readings], ensure_ascii=False, indent=2))
    else:
        for number, reading in enumerate(readings, 1):
            console.print(_table(reading, full=full, title=f" {number}/{len(readings)}" if len(readings) > 1 else ""))
    if not any(reading.fields and reading.kind != "unknown" for reading in readings):
        sys.exit(2)
    sys.exit(1 if any(reading.trust.broken for reading in readings) else 0)


# -- what comes in -----------------------------------------------------------------------------------------------------


def _believed(files: tuple[Path, ...]) -> Anchors:
    """All keys of all files together."""
    ours: dict[bytes, Any] = {}
    found = []
    for file in files:
        anchors = parse_keys(_bytes_of(file, KEYS_MAX_BYTES))
        found.append(anchors)
        for kid, keys in anchors.ours.items():
            ours[kid] = (*ours.get(kid, ()), *keys)
    return Anchors(
        ours=ours,
        dcc=tuple(key for anchors in found for key in anchors.dcc),
        claim169=tuple(key for anchors in found for key in anchors.claim169),
        shc=tuple(key for anchors in found for key in anchors.shc),
        nzcp=tuple(key for anchors in found for key in anchors.nzcp),
    )


def _texts(what: str) -> list[str]:
    """The texts of the codes that ``what`` stands for."""
    if not what.strip():
        raise Invalid("read.nothing", Words("Chưa có gì để đọc.", "There is nothing to read."))
    if what == "-":
        return _inside(sys.stdin.buffer.read(_FILE_MAX_BYTES + 1))
    if _is_there(what):
        return _inside(_bytes_of(Path(what), _FILE_MAX_BYTES))
    if (
        what.rpartition(".")[2].lower() in _PICTURE_ENDINGS
        and len(what) < 1_000
        and "|" not in what
        and "://" not in what
    ):
        raise Invalid("read.no_file", Words("Không có tệp này.", "There is no such file."))
    return [what]


def _is_there(what: str) -> bool:
    try:
        return Path(what).exists()
    except (OSError, ValueError):  # a text too long, or with a zero in it, is no path
        return False


def _bytes_of(file: Path, at_most: int) -> bytes:
    try:
        with file.open("rb") as opened:
            raw = opened.read(at_most + 1)
    except OSError as error:
        raise Invalid(
            "read.file",
            Words(f"Không mở được tệp {file.name}.", f"{file.name} cannot be opened: {error.strerror or error}."),
        ) from None
    if len(raw) > at_most:
        raise _too_large()
    return raw


def _inside(raw: bytes) -> list[str]:
    """The codes of a picture, or the text of one code."""
    if len(raw) > _FILE_MAX_BYTES:
        raise _too_large()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we have a bound of our own, and a lower
            picture = Image.open(io.BytesIO(raw), formats=_PICTURES)
    except UnidentifiedImageError:
        return [_text_of(raw)]
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    except Exception as error:  # whatever a decoder of foreign bytes stumbles over
        raise _damaged(error) from None
    with picture:
        return _codes(picture)


def _text_of(raw: bytes) -> str:
    """The text in a file that is no picture."""
    try:
        if len(raw) > _TEXT_FILE_MAX_BYTES:
            raise ValueError(len(raw))
        text = raw.decode("utf-8-sig")
        if "\x00" in text or text.startswith("%PDF"):
            raise ValueError("binary")
    except ValueError:
        raise Invalid(
            "read.not_a_picture",
            Words(
                "Không phải ảnh đọc được. Lưu thành PNG hoặc JPEG rồi thử lại; PDF thì chụp màn hình trang đó.",
                "Not a picture that can be read. Save it as PNG or JPEG; of a PDF, take a screenshot of the page.",
            ),
        ) from None
    return text


def _codes(picture: Image.Image) -> list[str]:
    """What every code in the picture holds. The size is looked at before a pixel is unpacked."""
    width, height = picture.size
    if width * height > _PIXELS_MAX or max(width, height) > _SIDE_MAX:
        raise _too_many_pixels()
    try:
        picture.load()
        if "A" in picture.getbands() or "transparency" in picture.info:  # what is transparent is paper
            layer = picture.convert("RGBA")
            picture = Image.new("RGBA", layer.size, "white")
            picture.alpha_composite(layer)
        grey = picture.convert("L")
    except Exception as error:
        raise _damaged(error) from None
    found = zxingcpp.read_barcodes(grey, _MATRIX, text_mode=zxingcpp.TextMode.Plain)
    texts = list(dict.fromkeys(_text(one) for one in found[:_CODES_MAX]))
    if not texts:
        raise Invalid(
            "read.no_code",
            Words(
                "Không thấy mã nào trong ảnh. Chụp lại gần hơn, đủ sáng, cả bốn góc.",
                "There is no code in the picture. Take it again: closer, in good light, all four corners.",
            ),
        )
    whole = join_parts(texts)
    return [whole] if whole else texts


def _text(code: zxingcpp.Barcode) -> str:
    """UTF-8 where it is that, whatever character set the reader would have guessed: cards hold Vietnamese."""
    try:
        return code.bytes.decode()
    except UnicodeDecodeError:
        return str(code.text)


def _too_many_pixels() -> Invalid:
    return Invalid(
        "read.picture_too_large",
        Words(
            "Ảnh có quá nhiều điểm. Thu nhỏ rồi thử lại.",
            "The picture has too many pixels. Make it smaller and try again.",
        ),
    )


def _damaged(error: Exception) -> Invalid:
    said = " ".join(str(error).split())[:80].rstrip(".") or type(error).__name__
    return Invalid(
        "read.picture_damaged",
        Words("Ảnh bị hỏng hoặc tải chưa hết.", f"The picture is damaged or incomplete: {said}."),
    )


def _too_large() -> Invalid:
    return Invalid("read.file_too_large", Words("Tệp quá lớn.", "The file is too large."))


# -- what goes out -----------------------------------------------------------------------------------------------------


def _plain(reading: Reading) -> dict[str, Any]:
    trust = reading.trust
    return {
        "kind": reading.kind,
        "fields": dict(reading.fields),
        "trust": {
            "signed": trust.signed,
            "signer": trust.signer,
            "known": trust.known,
            "holds": trust.holds,
            "barred": trust.barred,
            "expired": trust.expired,
            "not_yet": trust.not_yet,
            "not_before": trust.not_before.isoformat() if trust.not_before else None,
            "expires_at": trust.expires_at.isoformat() if trust.expires_at else None,
            "vi": trust.words.vi,
            "en": trust.words.en,
        },
        "problems": [{"code": one.code, "vi": one.words.vi, "en": one.words.en} for one in reading.problems],
    }


def _table(reading: Reading, *, full: bool, title: str) -> Table:
    kind = KIND_WORDS[reading.kind]
    table = Table(title=_both(kind) + title, title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in reading.fields.items():
        table.add_row(_both(FIELD_WORDS.get(name, Words(name, name))), Text(_shown(name, value, full=full)))
    if reading.fields:
        table.add_section()
    style, mark = _style(reading.trust)
    table.add_row(Text("Độ tin cậy · Worth"), Text(f"{mark} {reading.trust.words.vi}\n{reading.trust.words.en}", style))
    for problem in reading.problems:
        table.add_row(Text(problem.code), Text(f"{problem.words.vi}\n{problem.words.en}"))
    return table


def _both(words: Words) -> str:
    return words.vi if words.vi == words.en else escape(f"{words.vi} · {words.en}")


def _shown(name: str, value: Value, *, full: bool) -> str:
    if isinstance(value, tuple):
        return "\n".join(value)
    if name in ("valid_from", "valid_until"):
        return _moment(value)
    if name in SENSITIVE and not full and "*" not in value:
        return "••••" + value[-4:] if len(value) > 6 else "••••"
    words = _VALUES.get((name, value))
    return _both(words) if words else value


def _moment(value: str) -> str:
    """A time by the clock in Vietnam; a day stays one."""
    with suppress(ValueError, OverflowError):
        if len(value) > len("2026-03-31"):
            return f"{dt.datetime.fromisoformat(value).astimezone(_LOCAL):%Y-%m-%d %H:%M} +07:00"
    return value


def _style(trust: Trust) -> tuple[str, str]:
    if trust.good:
        return "green", "✓"
    if trust.broken:
        return "red", "✕"
    return ("yellow", "!") if trust.signed else ("", "?")
