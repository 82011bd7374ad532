"""A PDF that leaves page by page, so that ten thousand of them take no more memory than ten.

``reportlab`` makes the objects; here each page is handed over as soon as it is drawn and then forgotten, the fonts
follow at the end when it is known which letters were used. The same pages always give the same bytes: no times, no
random numbers, and the file's identifier is the digest of what is in it (ISO 32000-1, section 14.4).
"""

import hashlib
import threading
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfdoc import (
    PDFCrossReferenceTable,
    PDFDictionary,
    PDFDocument,
    PDFFile,
    PDFIndirectObject,
    PDFStream,
    PDFString,
    PDFTrailer,
    PDFZCompress,
)
from reportlab.pdfgen.canvas import Canvas

_fonts_in_turn = threading.Lock()
"""A font reads its file with one position in it: one document at a time takes its subset."""


class _Document(PDFDocument):  # type: ignore[misc]
    """Forgets a page once it has been handed over."""

    def __init__(self, lang: str) -> None:
        super().__init__(compression=1, invariant=1, lang=lang, pdfVersion=(1, 7))
        self._file = PDFFile(self._pdfVersion)
        self._digest = hashlib.sha256()

    def take(self) -> bytes:
        """What is ready, and was not taken before."""
        ready = b"".join(self._file.strings)
        self._file.strings.clear()
        self._digest.update(ready)
        return ready

    def addPage(self, page: Any) -> None:  # noqa: N802 - reportlab's name
        """Called by the canvas at the end of each page."""
        page.Contents = PDFStream(content=page.stream, filters=[PDFZCompress])  # or it would swell to ASCII
        super().addPage(page)
        self._write(page.__InternalName__)
        self._write(page.Contents.__InternalName__)
        self.idToObject[page.Contents.__InternalName__] = None
        for emptied in ("stream", "Contents", "Resources", "MediaBox"):
            setattr(page, emptied, None)

    def close(self, title: str) -> None:
        """Write what all pages share, and where everything lies."""
        with _fonts_in_turn:
            for font in self.delayedFonts:
                font.addObjects(self)
        self.Catalog.Outlines = None
        root = self.Reference(self.Catalog)
        info = self.Reference(PDFDictionary({"Title": PDFString(title), "Creator": PDFString("motma")}))
        number = 0
        while (number := number + 1) in self.numberToId:  # objects may be added while others are written
            if self.numberToId[number] not in self.idToOffset:
                self._write(self.numberToId[number])
        table = PDFCrossReferenceTable()
        table.addsection(0, [self.numberToId[each] for each in range(1, number)])
        start = self._file.add(table.format(self))
        digest = self._digest.copy()
        digest.update(b"".join(self._file.strings))
        name = f"<{digest.hexdigest()[:32]}>"
        trailer = PDFTrailer(startxref=start, Size=number, Root=root, Info=info, ID=f"[{name}{name}]")
        self._file.add(trailer.format(self))

    def _write(self, name: str) -> None:
        written = PDFIndirectObject(name, self.idToObject[name]).format(self)
        self.idToOffset[name] = self._file.add(written)


class PageStream:
    """A4 pages to draw on, one after the other: draw on ``canvas``, then :meth:`end_page`; at last :meth:`close`."""

    def __init__(self, lang: str) -> None:
        self.canvas: Any = Canvas("", pagesize=A4, pageCompression=1, invariant=1)
        # The canvas makes a document of its own and puts a font into it that we neither use nor embed.
        self._document = self.canvas._doc = _Document(lang)
        self.canvas._preamble = ""
        self.canvas.setViewerPreference("DisplayDocTitle", "true")
        self.canvas.setViewerPreference("PrintScaling", "None")  # a card must come out at its size

    def end_page(self) -> bytes:
        """Finish the page; returns the bytes of the file that are ready."""
        self.canvas.showPage()
        return self._document.take()

    def close(self, title: str) -> bytes:
        """The rest of the file."""
        self._document.close(title)
        return self._document.take()
