"""The code on paper: a sheet for one person, ten cards on a page, thousands of either in one PDF.

Draws what it is given and asks nobody: no store, no clock. It refuses nothing either; who may print what is for the
doors (``web/papers.py``, ``motma paper``) to say. Of the holder only the last six digits of the number go into the
file's title, so that a list of files tells nobody's name.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from motma.web.paper.layouts import (
    CARDS_ACROSS,
    CARDS_DOWN,
    PaperCode,
    card_corner,
    draw_card,
    draw_sheet,
    mark_cuts,
)
from motma.web.paper.letters import load_typeface
from motma.web.paper.pen import MUTED, Pen
from motma.web.paper.stream import PageStream

__all__ = ["Layout", "PaperCode", "Press", "draw_paper", "file_name"]

Layout = Literal["sheet", "cards"]
_CARDS_A_PAGE = CARDS_ACROSS * CARDS_DOWN


class Press:
    """Prints one code after the other; holds no more than a page.

    ``sheet``: an A4 page for each, with a card to cut out. ``cards``: ten cards on an A4 page. ``lang`` (vi or en) is
    the language that comes first. Raises :class:`~motma.core.errors.Unavailable` ``paper.no_typeface`` at once if the
    typeface was not built.
    """

    def __init__(self, *, lang: str = "vi", layout: Layout = "sheet") -> None:
        load_typeface()
        self._lang = "en" if lang == "en" else "vi"
        self._layout = layout
        self._pages = PageStream(self._lang)
        self._count = 0
        self._only = ""

    def add(self, code: PaperCode) -> bytes:
        """Draw one more; returns the bytes of the PDF that are ready (none, while a page of cards is not full)."""
        self._only = "" if self._count else code.qid
        place = self._count % _CARDS_A_PAGE
        self._count += 1
        pen = Pen(self._pages.canvas)
        if self._layout == "sheet":
            draw_sheet(pen, code, self._lang)
            return self._pages.end_page()
        if place == 0:
            mark_cuts(pen)
            page = self._count // _CARDS_A_PAGE + 1
            pen.write(card_corner(0)[0] + 3, 10.9, f"Trang {page} · Page {page}", 7, lang="vi", colour=MUTED)
        draw_card(pen.moved(*card_corner(place)), code, self._lang)
        return self._pages.end_page() if place == _CARDS_A_PAGE - 1 else b""

    def finish(self) -> bytes:
        """The rest of the PDF. Raises :class:`ValueError` if nothing was added: a PDF has at least one page."""
        if not self._count:
            raise ValueError("nothing was added")
        unfinished = self._layout == "cards" and self._count % _CARDS_A_PAGE
        last = self._pages.end_page() if unfinished else b""
        return last + self._pages.close(f"Một Mã · {self._only[-6:]}" if self._only else "Một Mã")


def draw_paper(items: Iterable[PaperCode], *, lang: str = "vi", layout: Layout = "sheet") -> Iterator[bytes]:
    """One PDF with all of ``items``, in pieces as they are drawn; the same items always give the same bytes."""
    press = Press(lang=lang, layout=layout)
    for item in items:
        yield press.add(item)
    yield press.finish()


def file_name(qid: str) -> str:
    """What a paper is called when it is saved: the last six digits and nothing else of its holder."""
    return f"mot-ma-{qid[-6:]}.pdf"
