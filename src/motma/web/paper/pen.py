"""What a page is drawn with: text, lines and codes, in millimetres from the top left corner."""

import functools
import re
from collections.abc import Sequence
from typing import Any, Literal

from motma.web.paper.letters import REGULAR, settable, width
from motma.web.qr import modules

MM = 72 / 25.4
"""Points in a millimetre."""

PAGE_WIDTH, PAGE_HEIGHT = 210.0, 297.0
INK, MUTED, ACCENT, CUT = "131F2B", "4A5A6A", "0B4F8A", "9AA7B4"

_dark_runs = re.compile(rb"\x00+").finditer
_QUIET_MODULES = 4
_Align = Literal["left", "centre", "right"]


class Code:
    """A QR code that fills ``box`` millimetres with its quiet zone, however many modules it has."""

    def __init__(self, text: str, box: float) -> None:
        self.count, self.path = _trace(text)
        self.module = box / self.count
        self.quiet = _QUIET_MODULES * self.module
        self.side = box - 2 * self.quiet


class Pen:
    """Draws on a canvas; ``x`` and ``y`` count from this pen's own corner. Text stands on its base line ``y``."""

    def __init__(self, canvas: Any, x: float = 0, y: float = 0) -> None:
        self._canvas = canvas
        self._x = x
        self._y = y

    def moved(self, x: float, y: float) -> "Pen":
        """A pen whose corner lies at (x, y)."""
        return Pen(self._canvas, self._x + x, self._y + y)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        lang: str,
        font: str = REGULAR,
        colour: str = INK,
        align: _Align = "left",
    ) -> None:
        """One line; ``lang`` tells a screen reader how to say it."""
        text = settable(text)
        across, up = self._point(x, y)
        if align != "left":
            across -= width(text, font, size) / (2 if align == "centre" else 1)
        canvas = self._canvas
        canvas._code.append(f"/Span <</Lang ({lang})>> BDC")
        canvas.setFillColorRGB(*_rgb(colour))
        canvas.setFont(font, size)
        canvas.drawString(across, up, text)
        canvas._code.append("EMC")

    def write_lines(
        self,
        x: float,
        y: float,
        lines: Sequence[str],
        size: float,
        leading: float,
        *,
        lang: str,
        font: str = REGULAR,
        colour: str = INK,
    ) -> float:
        """Lines under each other, the first on ``y``; returns where the next one would stand."""
        for line in lines:
            self.write(x, y, line, size, lang=lang, font=font, colour=colour)
            y += size * leading / MM
        return y

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        *,
        points: float = 0.25,
        colour: str = CUT,
        dashed: bool = False,
    ) -> None:
        """A stroke; nothing that a screen reader should mention."""
        canvas = self._canvas
        canvas._code.append("/Artifact BMC")
        canvas.setStrokeColorRGB(*_rgb(colour))
        canvas.setLineWidth(points)
        canvas.setDash([2.4, 2.4] if dashed else [])
        canvas.line(*self._point(x1, y1), *self._point(x2, y2))
        canvas._code.append("EMC")

    def code(self, code: "Code", x: float, y: float) -> None:
        """The code with its quiet zone, the zone's corner at (x, y).

        One filled path of rectangles, pure black on pure white: sharp at any size, and no seams between the rows.
        """
        left, top = self._point(x, y)
        scale = code.module * MM
        self._canvas._code.append(
            f"/Artifact BMC q {scale:.5f} 0 0 {-scale:.5f} {left:.3f} {top:.3f} cm "
            f"1 g 0 0 {code.count} {code.count} re f 0 g {code.path} f Q EMC"
        )

    def _point(self, x: float, y: float) -> tuple[float, float]:
        return (self._x + x) * MM, (PAGE_HEIGHT - self._y - y) * MM


@functools.lru_cache(maxsize=1)  # a sheet draws its one code twice
def _trace(text: str) -> tuple[int, str]:
    """Modules a side with the quiet zone, and a rectangle for each run of dark ones."""
    count, rows = modules(text)
    runs = [
        f"{run.start()} {row} {run.end() - run.start()} 1 re"
        for row, dark in enumerate(rows)
        for run in _dark_runs(dark)
    ]
    return count, " ".join(runs)


def _rgb(colour: str) -> tuple[float, float, float]:
    return int(colour[:2], 16) / 255, int(colour[2:4], 16) / 255, int(colour[4:], 16) / 255
