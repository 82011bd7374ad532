"""The printed code is read by a poor camera: 30 mm on paper, a frame of 640 x 480, turned by 30 degrees, noisy.

The code is that of the citizen in the middle (by length of name), issued by the real house, drawn by the real press as
a PDF and set in 300 dots an inch, black or white, as an office printer does. What the camera does to it is assumed:

- somebody holds the paper so that the code fills half of the frame's height: 65 mm from a lens whose view is 50
  degrees high (a phone's frame has four times the pixels and more, and reads from farther away);
- ink is not black and paper not white: 60 and 200 of 255;
- a blur of 0.8 pixels (standard deviation), and noise of 16 (of 255) added to every pixel on its own.

``python -m tests.test_carrier_reading`` prints how far it can go, for the documents.
"""

import asyncio
import datetime as dt
import math
import random
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageFilter

from motma.web.paper import PaperCode, draw_paper
from motma.web.paper.pen import Code, Pen
from motma.web.paper.stream import PageStream
from motma.web.qr import modules
from tests.world import living_world

FRAME = (640, 480)
HALF, SIGMA, BLUR, INK, PAPER = 0.5, 16.0, 0.8, 60, 200
_DPI, _PRINTED_MM = 300, 30.0
_UNIFORM_SIGMA = math.sqrt((256**2 - 1) / 12)


async def median_code(folder: Path) -> PaperCode:
    """What the house issues to the citizen whose name is of the middle length."""
    async with living_world(folder) as world:
        people = sorted((world.person(n) for n in range(201)), key=lambda person: len(person.name.encode()))
        person = people[len(people) // 2]
        sent = (await world.declare(person)).json()
        until = world.now + dt.timedelta(hours=72)
        return PaperCode(sent["code"], person.name, sent["qid"], world.now, until)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> PaperCode:
    return asyncio.run(median_code(tmp_path_factory.mktemp("median")))


def print_out(pdf: bytes, page: int = 0) -> Image.Image:
    """A page as a printer sets it: black or white, 300 dots an inch."""
    with pypdfium2.PdfDocument(pdf) as document:
        dots = document[page].render(scale=_DPI / 72, grayscale=True).to_pil().convert("L")
    return dots.point(lambda value: 255 if value > 127 else 0)


def printed_at(text: str, millimetres: float) -> Image.Image:
    """Only the code, ``millimetres`` wide without its quiet zone, and white paper around it."""
    count = modules(text)[0]
    pages = PageStream("vi")
    drawn = Code(text, millimetres * count / (count - 8))
    Pen(pages.canvas).code(drawn, 60, 60)
    paper = print_out(pages.end_page() + pages.close("Một Mã"))
    left, right = (round(place * _DPI / 25.4) for place in (60 + drawn.quiet, 60 + drawn.quiet + drawn.side))
    middle, around = (left + right) // 2, right - left
    return paper.crop((middle - around, middle - around, middle + around, middle + around))  # the code is its half


def seen(
    paper: Image.Image,
    seed: int,
    *,
    share: float = HALF,
    sigma: float = SIGMA,
    blur: float = BLUR,
    degrees: float = 30,
    ink: int = INK,
    white: int = PAPER,
) -> Image.Image:
    """``paper`` (the code is half as wide) as the camera gives it; the code fills ``share`` of the frame's height."""
    side = round(FRAME[1] * share * 2)
    lens = paper.resize((side, side), Image.Resampling.BOX).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)
    frame = Image.new("L", FRAME, 255)
    frame.paste(lens, ((FRAME[0] - side) // 2, (FRAME[1] - side) // 2))
    frame = frame.point(lambda value: ink + value * (white - ink) // 255).filter(ImageFilter.GaussianBlur(blur))
    return ImageChops.add(frame, noise(seed, sigma), 1, -128)


def noise(seed: int, sigma: float) -> Image.Image:
    """Grey 128 with noise of ``sigma``: the mean of four even ones is close to Gaussian. Pillow's own has no seed."""
    source = random.Random(seed)
    a, b, c, d = (Image.frombytes("L", FRAME, source.randbytes(FRAME[0] * FRAME[1])) for _ in range(4))
    mean = ImageChops.add(ImageChops.add(a, b, 2), ImageChops.add(c, d, 2), 2)
    factor = sigma / (_UNIFORM_SIGMA / 2)
    return mean.point(lambda value: min(255, max(0, round(128 + (value - 127) * factor))))


def read(frame: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(frame, formats=zxingcpp.BarcodeFormat.QRCode)]


@pytest.fixture(scope="module")
def paper(code: PaperCode) -> Image.Image:
    return printed_at(code.text, _PRINTED_MM)


@pytest.mark.parametrize("seed", range(10))
def test_a_code_of_thirty_millimetres_is_read(code: PaperCode, paper: Image.Image, seed: int) -> None:
    """In every frame, not only in one of the many that a camera gives."""
    assert read(seen(paper, seed)) == [code.text]


@pytest.mark.parametrize("share", [0.45, 0.5, 0.6, 0.7])
def test_it_does_not_matter_how_it_is_turned(code: PaperCode, paper: Image.Image, share: float) -> None:
    """In one of three frames: at some angles the noise hides a corner of the code now and then."""
    for degrees in (0, 12, 30, 45, 77, 90, 133, 180, 251, 300):
        assert any(
            read(seen(paper, seed, share=share, sigma=12, degrees=degrees)) == [code.text] for seed in range(3)
        ), f"turned by {degrees} degrees"


def test_the_camera_is_a_poor_one(paper: Image.Image) -> None:
    """What is proved is not proved of a clean picture: the noise and the blur are there, and more is not read."""
    assert read(seen(paper, 0, sigma=60)) == []
    assert read(seen(paper, 0, blur=2.5)) == []
    values = noise(3, SIGMA).tobytes()
    mean = sum(values) / len(values)
    assert abs(mean - 128) < 1
    assert abs(math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) - SIGMA) < 1


@pytest.mark.parametrize("layout", ["sheet", "cards"])
def test_every_code_of_a_printed_page_is_read(code: PaperCode, layout: Any) -> None:
    count = 1 if layout == "sheet" else 10
    paper = print_out(b"".join(draw_paper([code] * count, layout=layout)))
    assert read(paper) == [code.text] * (2 if layout == "sheet" else 10)  # large, and on the card at the foot


# ---------------------------------------------------------------- how far it can go


def furthest(steps: Iterable[float], works: Callable[[float], bool]) -> float:
    """The last of ``steps``, each harder than the one before, before the first that fails; NaN if there is none."""
    last = math.nan
    for step in steps:
        if not works(step):
            break
        last = step
    return last


def limits(code: PaperCode) -> list[tuple[str, str]]:
    """Each assumption made worse on its own, as long as nine frames in ten are still read: (what, how far)."""
    frames = 20
    count = modules(code.text)[0] - 8

    def mostly_read(paper: Image.Image, **camera: Any) -> bool:
        lost, seed = 0, 0
        while lost <= frames // 10 and seed < frames:
            lost += read(seen(paper, seed, **camera)) != [code.text]
            seed += 1
        return lost <= frames // 10

    paper = printed_at(code.text, _PRINTED_MM)
    noisiest = furthest(range(4, 120, 2), lambda sigma: mostly_read(paper, sigma=sigma))
    softest = furthest([n / 10 for n in range(2, 40)], lambda blur: mostly_read(paper, blur=blur))
    palest = furthest(range(140, 0, -5), lambda span: mostly_read(paper, ink=PAPER - int(span)))
    farthest = furthest([n / 100 for n in range(50, 9, -1)], lambda share: mostly_read(paper, share=share))
    calm = furthest([n / 100 for n in range(50, 9, -1)], lambda share: mostly_read(paper, share=share, sigma=4))
    printed = {width: printed_at(code.text, width) for width in (40, 30, 24, 20, 16)}
    shares = [
        f"{sum(read(seen(printed[width], seed)) == [code.text] for seed in range(frames)) / frames:.0%} of {width} mm"
        for width in printed
    ]

    def in_frame(share: float) -> str:
        return f"{share:.0%} ({share * FRAME[1] / count:.1f} pixels a module)"

    return [
        ("The code", f"version {(count - 17) // 4}, {len(code.text)} characters"),
        (f"Noise (here {SIGMA:g} of 255)", f"{noisiest:g}"),
        (f"Blur (here {BLUR:g} pixels)", f"{softest:g} pixels"),
        (f"Contrast of ink and paper (here {PAPER - INK} of 255)", f"{palest:g}"),
        (f"Height of the code in the frame (here {HALF:.0%})", in_frame(farthest)),
        ("The same in good light (noise 4)", in_frame(calm)),
        (f"Width in print, at {_DPI} dpi, held so near that it fills half", "read " + ", ".join(shares)),
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        rows = limits(asyncio.run(median_code(Path(scratch))))
    sys.stdout.write("| Made worse on its own | As far as nine frames in ten are read |\n|---|---|\n")
    sys.stdout.writelines(f"| {what} | {how_far} |\n" for what, how_far in rows)
