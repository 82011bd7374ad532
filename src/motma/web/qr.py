"""Draw a code: as SVG for a page and for paper, as PNG for a phone's pictures.

The quiet zone of four modules is always part of the drawing, and the ground is always pure white (ISO/IEC 18004).
"""

import functools
import io
import re
from pathlib import Path
from typing import Any

import zxingcpp
from markupsafe import Markup
from PIL import Image, ImageDraw, ImageFont

from motma.core.ids import group_qid

_FONTS = Path(__file__).parent / "static" / "vendor" / "fonts"
_PICTURE_PIXELS = 1080
_INK, _GREY, _WHITE = 0, 80, 255
_dark_runs = re.compile(rb"\x00+").finditer
_OWN_SUBSET = "ĂăĐđĨĩŨũƠơƯư"
"""Letters that the Vietnamese subset of the typeface holds beside U+1EA0-1EF9; the Latin one holds the others."""


def draw_svg(text: str, title: str) -> Markup:
    """The code as one inline ``<svg>``, one unit a module. ``title`` is what a screen reader says."""
    side, rows = modules(text)
    path = "".join(
        [f"M{run.start()} {y}.5h{run.end() - run.start()}" for y, row in enumerate(rows) for run in _dark_runs(row)]
    )
    return Markup(
        '<svg class="qr" role="img" aria-label="{title}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        '<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path stroke="#000" d="{path}"/></svg>'
    ).format(title=title, side=side, path=path)


def svg_file(text: str, title: str) -> bytes:
    """The same as a file of its own, as wide as its place."""
    root = '<svg xmlns="http://www.w3.org/2000/svg" width="100%"'
    return draw_svg(text, title).replace("<svg", Markup(root), 1).encode()


def draw_png(text: str, name: str, qid: str) -> bytes:
    """The code as a picture about 1080 pixels wide, with the holder's name and the QID under it."""
    side, rows = modules(text)
    scale = max(1, _PICTURE_PIXELS // side)
    code = Image.frombytes("L", (side, side), b"".join(rows)).resize((side * scale,) * 2, Image.Resampling.NEAREST)
    picture = Image.new("L", (code.width, code.height + 184), _WHITE)
    picture.paste(code, (0, 0))
    pen = ImageDraw.Draw(picture)
    _write_centred(pen, group_qid(qid), 52, code.height + 20, picture.width, _INK)
    _write_centred(pen, name, 36, code.height + 102, picture.width, _GREY)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def modules(text: str) -> tuple[int, list[bytes]]:
    """Modules a side with the quiet zone, and the rows: 0 is dark, 255 is light."""
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    image: Any = barcode.to_image(scale=1, add_quiet_zones=True)  # a buffer of rows, which its types do not say
    pixels = memoryview(image)
    width = len(pixels)
    flat = pixels.tobytes()
    return width, [flat[start : start + width] for start in range(0, len(flat), width)]


@functools.cache
def _font(subset: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(_FONTS / f"be-vietnam-pro-{subset}-600-normal.woff2", size)
    except OSError:
        return None  # the front-end parts were not built: the picture does without words


def _write_centred(pen: ImageDraw.ImageDraw, text: str, size: int, top: int, width: int, ink: int) -> None:
    """One line in the middle, smaller if it is too long; each letter from the subset that holds it."""
    for points in range(size, 15, -2):
        latin, vietnamese = _font("latin", points), _font("vietnamese", points)
        if latin is None or vietnamese is None:
            return
        letters = [
            (letter, vietnamese if letter in _OWN_SUBSET or "\u1ea0" <= letter <= "\u1ef9" else latin)
            for letter in text
        ]
        length = sum(font.getlength(letter) for letter, font in letters)
        if length <= width * 0.9:
            break
    left = (width - length) / 2
    for letter, font in letters:
        pen.text((left, top + size), letter, fill=ink, font=font, anchor="ls")
        left += font.getlength(letter)
