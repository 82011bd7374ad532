"""The code on paper: it reads, it fits, it says what it should, and the file tells nothing more."""

import asyncio
import datetime as dt
import re
import sys
import tracemalloc
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pypdfium2
import pytest
import zxingcpp

from motma.cli import main
from motma.core.errors import Invalid, Unavailable
from motma.core.facts import Fact, Revoked
from motma.core.ids import Qid, group_qid, new_fact_id
from motma.core.text import parse_name
from motma.storage.store import Act
from motma.web.paper import PaperCode, Press, draw_paper, file_name, letters
from motma.web.paper.layouts import CARD_HEIGHT, CARD_WIDTH, card_corner, say_moment
from motma.web.paper.pen import MM, PAGE_HEIGHT
from tests.world import BEGINNING, World, living_world

QID = "162979388586171100"
TEXT = "NCFOXN%TS3DH0YOJ58S S-W5HDC *M0II5XHC9B5G2+$N IOP-IA%NFQGRJPC%OQHIZC4.OI1RM8ZA" * 4
TONES = "Ằ Ẳ Ẵ Ắ Ặ Ầ Ẩ Ẫ Ấ Ậ Ề Ể Ễ Ế Ệ Ồ Ổ Ỗ Ố Ộ Ờ Ở Ỡ Ớ Ợ Ừ Ử Ữ Ứ Ự Ỳ Ỷ Ỹ Ý Ỵ Đ"
NAMES = [
    "Nguyễn Thị Minh",
    "Công Tằng Tôn Nữ Nguyễn Thị Phương Khánh Huyền",
    "Ễ" * 100,
    "Ễ " * 49 + "Ễ",
    "W" * 100,
    TONES,
    TONES.lower(),
    "Y",
    "H'Hen Niê",
    "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh",
]


def code_of(name: str = NAMES[0], text: str = TEXT, qid: str = QID) -> PaperCode:
    return PaperCode(text, name, qid, BEGINNING, BEGINNING + dt.timedelta(hours=72))


def draw(*names: str, **how: Any) -> bytes:
    return b"".join(draw_paper([code_of(name) for name in names], **how))


Opened = Callable[[bytes], pypdfium2.PdfDocument]


@pytest.fixture
def opened() -> Iterator[Opened]:
    documents = []

    def open_pdf(pdf: bytes) -> pypdfium2.PdfDocument:
        documents.append(pypdfium2.PdfDocument(pdf))
        return documents[-1]

    yield open_pdf
    for document in documents:
        document.close()


def said(page: pypdfium2.PdfPage) -> str:
    return " ".join(page.get_textpage().get_text_bounded().split())


def boxes(page: pypdfium2.PdfPage) -> list[tuple[float, float, float, float]]:
    """Every letter's ink: (left, top, right, bottom) in millimetres from the top left corner."""
    text = page.get_textpage()
    found = []
    for index in range(text.count_chars()):
        left, bottom, right, top = text.get_charbox(index)
        if right > left and top > bottom:
            found.append((left / MM, PAGE_HEIGHT - top / MM, right / MM, PAGE_HEIGHT - bottom / MM))
    return found


# ---------------------------------------------------------------- what it says and how large


def test_the_sheet_says_whose_it_is_until_when_and_what_to_do(opened: Opened) -> None:
    text = said(opened(draw(NAMES[0]))[0])
    for part in (
        NAMES[0],
        "162979 388586 171100",
        "từ 14:00, Chủ nhật 18/01/2026",
        "đến 14:00, Thứ tư 21/01/2026",
        "until 14:00, Wednesday 21 January 2026",
        "Cắt thẻ ở cuối trang, gấp đôi rồi để trong ví.",
        "đọc 18 chữ số dưới mã",
        "Nếu mất, in lại trên máy đã khai",
        "When it expires, declare again for a new code.",
        "không phải dịch vụ của cơ quan nhà nước",
        "not an official service",
    ):
        assert part in text


def test_the_readers_language_comes_first(opened: Opened) -> None:
    vi, en = (said(opened(draw(NAMES[0], lang=lang))[0]) for lang in ("vi", "en"))
    assert vi.index("Việc cần làm") < vi.index("What to do")
    assert en.index("What to do") < en.index("Việc cần làm")


def test_a_time_is_said_as_in_vietnam() -> None:
    late = dt.datetime(2026, 1, 18, 17, 30, tzinfo=dt.UTC)
    assert say_moment(late) == ("00:30, Thứ hai 19/01/2026", "00:30, Monday 19 January 2026")


@pytest.mark.parametrize("length", [20, 140, 328, 900, 1900])
def test_the_code_is_large_whatever_it_holds(opened: Opened, length: int) -> None:
    text = "A1" * (length // 2)
    page = opened(b"".join(draw_paper([code_of(text=text)])))[0]
    dots_per_mm = 8
    picture = page.render(scale=dots_per_mm / MM, grayscale=True).to_pil()
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    assert [each.text for each in found] == [text] * 2
    widths = sorted((each.position.top_right.x - each.position.top_left.x) / dots_per_mm for each in found)
    assert widths[1] >= 50 and widths[0] >= 30
    sheet = max(found, key=lambda each: each.position.top_right.x - each.position.top_left.x)
    corner = sheet.position.top_left
    modules = picture.crop((corner.x - 5, corner.y - 5, corner.x, corner.y))
    assert modules.getextrema()[1] == 255, "white beside it"


def test_the_card_is_as_large_as_a_bank_card() -> None:
    assert (CARD_WIDTH, CARD_HEIGHT) == (85.6, 54.0)
    corners = [tuple(round(side, 6) for side in card_corner(place)) for place in (0, 1, 2)]
    assert corners == [(19.4, 13.5), (105.0, 13.5), (19.4, 67.5)]
    x, y = card_corner(9)
    assert x + CARD_WIDTH <= 210 - 5 and y + CARD_HEIGHT <= PAGE_HEIGHT - 5, "printers leave a margin"


def test_every_name_stays_on_its_card(opened: Opened) -> None:
    page = opened(draw(*NAMES, layout="cards"))[0]
    every = boxes(page)
    corners = [card_corner(place) for place in range(10)]
    for left, top, right, bottom in every:
        if bottom < corners[0][1]:
            continue  # the number of the page
        inside = [
            (x, y)
            for x, y in corners
            if x + 2 <= left and right <= x + CARD_WIDTH - 2 and y + 2 <= top and bottom <= y + CARD_HEIGHT - 2
        ]
        assert inside, (left, top, right, bottom)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:12])
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_no_two_letters_of_a_page_lie_over_each_other(opened: Opened, name: str, lang: str) -> None:
    page = opened(draw(name, lang=lang))[0]
    every = boxes(page)
    assert min(left for left, *_ in every) >= 15 and max(right for _, _, right, _ in every) <= 195
    assert min(top for _, top, _, _ in every) >= 10 and max(bottom for *_, bottom in every) <= 285
    every.sort(key=lambda box: box[1])
    for n, (left, top, right, bottom) in enumerate(every):
        for other_left, other_top, other_right, other_bottom in every[n + 1 :]:
            if other_top > bottom - 0.25:
                break
            across = min(right, other_right) - max(left, other_left)
            down = min(bottom, other_bottom) - max(top, other_top)
            assert across < 0.25 or down < 0.25, (left, top)


def test_names_are_set_with_all_their_marks(opened: Opened) -> None:
    assert TONES in said(opened(draw(TONES))[0])
    decomposed = unicodedata.normalize("NFD", "Trần Thị Ẩn")
    assert "Trần Thị Ẩn" in said(opened(draw(decomposed))[0])


def test_a_letter_the_typeface_lacks_is_written_plainly_and_said(opened: Opened) -> None:
    text = said(opened(draw("Łukasz Ŋőŏ Ɓaƙi Əli"))[0])
    assert "Lukasz Noo Baki Eli" in text and "viết theo bảng A–Z" in text
    assert "bảng A–Z" not in said(opened(draw(TONES))[0])


def test_no_letter_of_a_name_becomes_a_box() -> None:
    letters.load_typeface()
    held = letters.pdfmetrics.getFont(letters.REGULAR).face.charToGlyph
    questions = 0
    for point in range(0x20, 0x2000):
        try:
            name = parse_name(f"A{chr(point)}")
        except Invalid:
            continue
        plain = letters.settable(name)
        assert len(plain) > 0 and all(ord(letter) in held for letter in plain), hex(point)
        questions += "?" in plain
    assert questions < 45, "of more than 800 Latin letters"


# ---------------------------------------------------------------- the file


def test_the_file_tells_no_more_than_six_digits(opened: Opened) -> None:
    pdf = draw(NAMES[0])
    facts = opened(pdf).get_metadata_dict(skip_empty=True)
    assert facts == {"Title": "Một Mã · 171100", "Creator": "motma"}
    assert file_name(QID) == "mot-ma-171100.pdf"
    assert opened(draw(NAMES[0], NAMES[1])).get_metadata_dict(skip_empty=True)["Title"] == "Một Mã"
    assert b"/Lang (vi)" in pdf and b"/Lang (en)" in draw(NAMES[0], lang="en")


def test_text_is_text_in_embedded_fonts_and_the_code_is_no_picture() -> None:
    pdf = draw(*NAMES)
    assert len(re.findall(rb"/Type /Font\b", pdf)) == len(re.findall(rb"/FontFile2 ", pdf)) >= 2
    assert set(re.findall(rb"/BaseFont /(\S+)", pdf)) <= {
        b"AAAAAA+BeVietnamPro-%s" % weight for weight in (b"Regular", b"SemiBold")
    }
    assert b"/Subtype /Image" not in pdf and b"/XObject" not in pdf and b"/ToUnicode" in pdf


def test_the_same_codes_always_give_the_same_bytes() -> None:
    once = draw(*NAMES)
    press, other = Press(), Press(lang="en", layout="cards")
    mixed = []
    for name in NAMES:
        mixed.append(press.add(code_of(name)))
        other.add(code_of(name[::-1]))
    other.finish()
    assert b"".join([*mixed, press.finish()]) == once
    assert b"CreationDate" not in once and b"ModDate" not in once
    assert draw(NAMES[0]) != draw(NAMES[1])


@pytest.mark.parametrize("layout", ["sheet", "cards"])
def test_every_object_lies_where_the_table_says(layout: Any) -> None:
    pdf = draw(*NAMES, *NAMES[:3], layout=layout)
    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n$", pdf)[0])
    head, *rows = pdf[start:].split(b"trailer")[0].split(b"\n")[1:-1]
    assert head == b"0 %d" % len(rows)
    for number, row in enumerate(rows[1:], 1):
        assert pdf[int(row[:10]) :].startswith(b"%d 0 obj\n" % number)


def test_pages_leave_as_they_are_drawn(opened: Opened) -> None:
    """Six pages take hardly more memory than two: each is 140 kB before it is squeezed, and was forgotten."""

    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            for piece in draw_paper((code_of(text=f"{TEXT[:200]}{n:06}") for n in range(count)), layout="cards"):
                del piece
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(60) < peak(20) + 100_000
    assert len(opened(b"".join(draw_paper((code_of() for _ in range(31)), layout="cards")))) == 4


def test_nothing_at_all_is_no_paper() -> None:
    with pytest.raises(ValueError, match="nothing"):
        list(draw_paper([]))


def test_without_its_typeface_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "_FONTS", tmp_path)
    letters.load_typeface.cache_clear()
    try:
        with pytest.raises(Unavailable, match=r"paper\.no_typeface"):
            Press()
        (tmp_path / "be-vietnam-pro-400.ttf").write_bytes(b"not a font")
        with pytest.raises(Unavailable, match=r"paper\.no_typeface"):
            Press()
    finally:
        monkeypatch.undo()
        letters.load_typeface.cache_clear()
    letters.load_typeface()


# ---------------------------------------------------------------- the citizen's door


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def test_the_holder_gets_the_paper_and_nobody_else(world: World, opened: Opened) -> None:
    mine, theirs = world.browser(), world.browser()
    await world.declare_on_page(mine, world.person(0))
    await world.declare_on_page(theirs, world.person(1))
    answer = await mine.get("/code/1/paper")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "no-store"
    held = await world.built.house.wallets.held(world.built.house.wallet(mine.cookies["motma_wallet"]))
    assert answer.headers["content-disposition"] == f'attachment; filename="mot-ma-{held[0].qid[-6:]}.pdf"'
    text = said(opened(answer.content)[0])
    assert world.person(0).name in text and group_qid(held[0].qid) in text
    assert (await mine.get("/code/1/paper?lang=en")).content != answer.content
    assert 'href="/code/1/paper"' in (await mine.get("/code")).text
    for number in ("0", "2", "99999999999999999999", "-1", "x", "%00"):
        assert (await mine.get(f"/code/{number}/paper")).status_code == 404, number
    assert (await world.browser().get("/code/1/paper")).status_code == 404
    assert (await world.browser({"motma_wallet": "x" * 32}).get("/code/1/paper")).status_code == 404
    theirs_text = said(opened((await theirs.get("/code/1/paper")).content)[0])
    assert world.person(0).name not in theirs_text


async def test_an_expired_code_is_not_printed(world: World) -> None:
    browser = world.browser()
    await world.declare_on_page(browser, world.person(0))
    world.now += dt.timedelta(hours=200)
    answer = await browser.get("/code/1/paper", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "paper.expired")


# ---------------------------------------------------------------- the ward office


class Ward:
    """A store with codes in it, and the command over it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._capsys, self._monkeypatch = folder, capsys, monkeypatch
        self.now = BEGINNING
        self.qids: list[str] = []
        self.names: list[str] = []

    async def fill(self, count: int) -> None:
        async with living_world(self.folder) as world:
            for n in range(count):
                self.qids.append((await world.declare(world.person(n))).json()["qid"])
                self.names.append(world.person(n).name)
            revoked = Fact(
                id=new_fact_id("rvk", world.now, bytes(10)),
                at=world.now,
                actor="test",
                qid=Qid(self.qids[-1]),
                what=msgspec.convert({"type": "standing.revoked", "reason": "test"}, Revoked),
            )
            await world.built.store.append(Act(facts=(revoked,)))

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """``motma paper``: (exit code, what it said, what it complained of)."""
        with self._monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["motma", "paper", *arguments])
            patched.setenv("MOTMA_DATA", str(self.folder / "data"))
            patched.setenv("MOTMA_ISSUER", "motma.test")
            patched.setenv("MOTMA_REGISTER_SIZE", "100")
            patched.setattr("motma.cli.terminal.utc_now", lambda: self.now)
            with pytest.raises(SystemExit) as ended:
                main()
        return int(ended.value.code or 0), *self._capsys.readouterr()


@pytest.fixture
def ward(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ward:
    ward = Ward(tmp_path, capsys, monkeypatch)
    asyncio.run(ward.fill(13))
    return ward


def test_a_ward_office_prints_many_and_learns_what_was_left_out(ward: Ward, opened: Opened, tmp_path: Path) -> None:
    *good, revoked = ward.qids
    listing = tmp_path / "qids.txt"
    mistyped = good[0][:-1] + str((int(good[0][-1]) + 1) % 10)
    listing.write_text(
        "\ufeff# Phường 1\n"
        + "\n".join([*map(group_qid, good), "", good[0], revoked, mistyped, "\x1b[31mx", "521322923144321717"])
    )
    out = tmp_path / "out.pdf"
    code, told, complaints = ward.run("--file", str(listing), "--cards", "-o", str(out))
    assert code == 1
    assert told == f"12 printed, 4 left out: {out}\n"
    for reason in ("paper.revoked", "qid.check_digit", "qid.malformed", "paper.unknown"):
        assert complaints.count(f"[{reason}]") == 1
    assert f"left out: {revoked}: " in complaints and "\x1b[31mx" not in complaints
    document = opened(out.read_bytes())
    text = " ".join(said(page) for page in document)
    assert len(document) == 2
    assert all(text.count(group_qid(qid)) == 1 for qid in good) and group_qid(revoked) not in text
    assert out.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out.pdf", "qids.txt"]


def test_a_page_for_each_person_is_the_usual(ward: Ward, opened: Opened, tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    assert ward.run(*ward.qids[:2], "-o", str(out))[:2] == (0, f"2 printed, 0 left out: {out}\n")
    document = opened(out.read_bytes())
    assert [ward.names[n] in said(document[n]) for n in range(2)] == [True, True]


def test_what_cannot_be_printed_leaves_what_was_there(ward: Ward, tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    out.write_bytes(b"yesterday")
    ward.now += dt.timedelta(hours=200)
    code, told, complaints = ward.run(*ward.qids[:2], "-o", str(out))
    assert (code, told) == (1, "0 printed, 2 left out; nothing was written\n")
    assert complaints.count("[paper.expired]") == 2
    assert out.read_bytes() == b"yesterday"
    code, told, complaints = ward.run(ward.qids[0], "-o", str(tmp_path / "nowhere" / "out.pdf"))
    assert code == 2 and "[paper.unwritable]" in complaints and "Traceback" not in complaints
    assert ward.run("-o", str(out))[0] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out.pdf"]
