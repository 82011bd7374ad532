"""The citizen's door: declare in three short steps, then hold one code.

Plain form posts that work without JavaScript. Nothing is kept between the steps: what was answered before travels in
hidden fields, so going back loses nothing and nothing personal stays behind on a shared phone. A step is checked when
it is left, everything again when the declaration is sent.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from motma.core.errors import Conflict, Hidden, Invalid, Problem
from motma.core.facts import counting
from motma.core.form import Form, parse_declaration
from motma.core.identity import YEAR, Grade, Match
from motma.core.ids import Qid, group_qid, parse_document, unusual_number
from motma.core.measure import Measure
from motma.core.text import fold
from motma.core.words import Words
from motma.services.declare import Declare, Receipt
from motma.services.tries import TooManyMistakes
from motma.services.wallet import HeldCode
from motma.web.access import address_of, house_of, open_wallet, wallet_of
from motma.web.answers import CHECK, Answers, read_answers, step_of
from motma.web.healthwords import said_of
from motma.web.live import WHOSE, scripts, whose
from motma.web.lookwords import PURPOSES, names_of, told_words
from motma.web.pages import render
from motma.web.problems import status_of
from motma.web.qr import draw_png, draw_svg
from motma.web.receipts import told

_SOURCE = "page"
_SAID = "motma-said"  # header of a page that is an answer, whatever its status: declare.js shows it
_SAME_SENDING = 600  # seconds in which the same answers from the same browser are one sending (a double tap)
_UNIT_CACHE = "public, max-age=86400"

Page = Response[Any]
CitizenRequest = Request[Any, Any, Any]


@get("/")
async def begin(request: CitizenRequest) -> Page:
    """The first step, empty; or word that nothing is asked for now."""
    declare, now = _who(request)
    measure = await declare.measure(now)
    if measure is None:
        return await _nothing_asked(request, 200)
    held = bool(await _held(request))
    page = _step(request, declare, measure, Answers({}, declare.form), 1, held=held)
    page.headers["cache-control"] = (
        "private, no-cache"  # nothing personal yet: the browser may bring back what was typed
    )
    return page


@post("/", status_code=200)
async def answer(request: CitizenRequest) -> Page:
    """Leave a step, go back to one, or send everything."""
    declare, now = _who(request)
    measure = await declare.measure(now)
    if measure is None:
        return await _nothing_asked(request, 409)
    sent = await request.form()
    answers = read_answers(sent.multi_items(), declare.form)
    step = _number(sent.get("step"), 1, CHECK)
    go = str(sent.get("go") or "next")
    if go in ("stay", "communes"):
        return _step(request, declare, measure, answers, step)
    if go == "back":
        return _step(request, declare, measure, answers, max(1, step - 1))
    if go.startswith("edit"):
        return _step(request, declare, measure, answers.coming_back(), _number(go[4:], 1, CHECK - 1))
    problems = _problems(declare, answers, now)
    first = min((step_of(path) for path in problems), default=CHECK)
    if go == "send":
        if problems:
            return _step(request, declare, measure, answers, first, problems)
        return await _send(request, declare, measure, answers, now)
    if step < CHECK and (here := {path: said for path, said in problems.items() if step_of(path) == step}):
        return _step(request, declare, measure, answers, step, here)
    onward = step + 1 if step < CHECK and not answers.to_check else CHECK
    if onward == CHECK and first < CHECK:
        return _step(request, declare, measure, answers, first, problems)
    page = _step(request, declare, measure, answers, onward)
    if onward == CHECK:  # before anything is sent: if the answer to the sending is lost, /code still finds the code
        _, cookie = open_wallet(request)
        if cookie:
            page.cookies = [*page.cookies, cookie]
    return page


@get("/code")
async def show_code(request: CitizenRequest, n: FromQuery[int] = 1) -> Page:
    """The ``n``-th code that this browser holds (1 is the newest), as large as the screen allows."""
    now, wallet = house_of(request).clock(), wallet_of(request)
    codes = [Shown.of(number, code, now) for number, code in enumerate(await _held(request), 1)]
    if not codes or wallet is None:
        page = render(request, "citizen/no_code.html")
        page.headers[WHOSE] = "none"
        return page
    shown = codes[n - 1] if 0 < n <= len(codes) else codes[0]
    page = render(
        request,
        "citizen/code.html",
        shown=shown,
        codes=codes,
        svg=draw_svg(shown.held.code, group_qid(shown.held.qid)),
        scripts=scripts(),
    )
    page.headers[WHOSE] = whose(shown.number, [code.held for code in codes], wallet)
    return page


@get("/code/{picture:str}", media_type="image/png")
async def save_code(request: CitizenRequest, picture: FromPath[str]) -> Response[bytes]:
    """``<n>.png``: the code to keep among the phone's pictures."""
    number, dot, ending = picture.partition(".")
    if not dot or ending != "png" or not number.isascii() or not number.isdigit():
        raise _no_code()
    code = _nth(await _held(request), int(number[:4]))
    disposition = f'attachment; filename="mot-ma-{str(code.qid)[-6:]}.png"'
    return Response(
        draw_png(code.code, code.name, code.qid),
        media_type="image/png",
        headers={"cache-control": "no-store", "content-disposition": disposition},
    )


@get("/code/{n:int}/looks")
async def show_looks(request: CitizenRequest, n: FromPath[int]) -> Page:
    """Who looked at the holder of the ``n``-th code."""
    house, wallet = house_of(request), wallet_of(request)
    code = _nth(await _held(request), n)
    looks = await house.wallets.looks(wallet, Qid(code.qid)) if wallet else []
    return render(
        request,
        "citizen/looks.html",
        shown=Shown.of(n, code, house.clock()),
        looks=looks,
        names=await names_of(house, looks),
        outcomes=_OUTCOMES,
        purposes=PURPOSES,
        told_words=told_words,
    )


@get("/units/{file:str}", media_type=MediaType.JSON)
async def list_communes(request: CitizenRequest, file: FromPath[str]) -> Response[bytes]:
    """``<province>.json``: commune code -> name, for the page to fill a list without asking for a new page."""
    declare = house_of(request).declare
    province, _, ending = file.rpartition(".")
    if ending != "json" or province not in declare.units.provinces:
        raise Hidden("place.province", Words("Không có tỉnh này.", "There is no such province."))
    communes = msgspec.json.encode(declare.units.communes_of(province))
    return Response(communes, media_type=MediaType.JSON, headers={"cache-control": _UNIT_CACHE})


routes = [begin, answer, show_code, save_code, show_looks, list_communes]


@dataclass(frozen=True, slots=True)
class Shown:
    """A held code as it is said on a page; ``number`` counts from 1, the newest."""

    number: int
    held: HeldCode
    left: Words
    icon: str
    status: Words
    usable: bool
    mend: Words | None
    """In what the name differs from the register's, where it does."""

    @classmethod
    def of(cls, number: int, held: HeldCode, now: dt.datetime) -> "Shown":
        icon, status = _standing(held, now)
        usable = not held.revoked and not held.suspended and now < held.valid_until
        left = time_left(held.valid_until, now)
        if held.revoked or held.suspended:
            left = Words("Đã bị thu hồi", "Revoked") if held.revoked else Words("Đang tạm ngưng", "Suspended")
        mend = told(Match(held.grade, (), held.how)).words if usable and held.grade is Grade.REPAIRABLE else None
        return cls(number, held, left, icon, status, usable, mend)


def time_left(until: dt.datetime, now: dt.datetime) -> Words:
    """How long something lasts, as people say it. ``static/code.js`` counts on in the same steps."""
    minutes = int((until - now).total_seconds()) // 60
    if minutes < 0 or until <= now:
        return Words("Đã hết hạn", "Expired")
    if minutes < 60:
        return Words(f"Còn {max(1, minutes)} phút", f"{max(1, minutes)} min left")
    if minutes < 72 * 60:
        hours = minutes // 60
        return Words(f"Còn {hours} giờ", f"{hours} hour{'s' if hours > 1 else ''} left")
    return Words(f"Còn {minutes // 1440} ngày", f"{minutes // 1440} days left")


_OUTCOMES = {
    "accept": ("go", Words("Được qua", "Let through")),
    "manual": ("check", Words("Kiểm tra bằng tay", "Checked by hand")),
    "refer": ("next", Words("Chuyển sang chốt kế tiếp", "Sent on to the next checkpoint")),
    "reject": ("stop", Words("Không được qua", "Not let through")),
    "looked_up": ("unknown", Words("Tra theo biển số xe", "Found by the vehicle's plate")),
}


def _standing(held: HeldCode, now: dt.datetime) -> tuple[str, Words]:
    """(icon, the one line of status)."""
    if held.revoked:
        return "stop", Words("Mang giấy tờ tới hỏi cán bộ chốt.", "Show your document at a checkpoint.")
    if held.suspended:
        return "check", Words("Mang giấy tờ tới hỏi cán bộ chốt.", "Show your document at a checkpoint.")
    if held.valid_until <= now:
        return "unknown", Words("Khai lại để có mã mới.", "Declare again for a new code.")
    if event := counting(held.events, now):
        return "check", said_of(event)
    if held.grade is Grade.MATCHED:
        return "go", Words("Đã đối soát khớp", "Matched with the register")
    if held.grade is Grade.VOUCHED:
        return "go", Words("Cán bộ chốt đã xem giấy tờ", "An officer has seen the document")
    if held.grade is Grade.PENDING:
        return "unknown", Words("Đang chờ đối soát; mã dùng được", "Waiting to be matched; the code works")
    if held.grade is Grade.REPAIRABLE and held.how == YEAR:
        return "check", Words(
            "Mã dùng được, nhưng mới có năm sinh: cán bộ sẽ xem giấy tờ.",
            "The code works, but only the year of birth is known: an officer looks at the document.",
        )
    if held.grade is Grade.REPAIRABLE:
        return "check", Words(
            "Mã dùng được, nhưng họ tên khác giấy tờ: cán bộ sẽ xem giấy tờ.",
            "The code works, but the name differs: an officer looks at the document.",
        )
    if held.grade is Grade.UNIDENTIFIED:
        return "check", Words(
            "Mã dùng được; không có số giấy tờ nên cán bộ sẽ hỏi thêm.",
            "The code works; without a document number an officer will ask.",
        )
    return "stop", Words(
        "Không khớp dữ liệu dân cư. Khai lại đúng như giấy tờ.",
        "Does not match the register. Declare again as on the document.",
    )


def _who(request: CitizenRequest) -> tuple[Declare, dt.datetime]:
    """The verb, and the time."""
    house = house_of(request)
    return house.declare, house.clock()


async def _send(
    request: CitizenRequest, declare: Declare, measure: Measure, answers: Answers, now: dt.datetime
) -> Page:
    """Hand everything in. The same answers from the same browser within ten minutes are one declaration."""
    wallet, cookie = open_wallet(request)
    raw = answers.nested()
    window = int(now.timestamp()) // _SAME_SENDING
    key = hashlib.blake2b(
        msgspec.json.encode([window, raw], order="sorted"), key=wallet[:64], digest_size=20
    ).hexdigest()
    try:
        where = address_of(request)
        receipt = await declare.declare(raw, source=_SOURCE, now=now, key=key, wallet=wallet, address=where)
    except Invalid as invalid:
        if not invalid.fields:
            if isinstance(invalid, TooManyMistakes):
                return _stopped(request, invalid, answers)
            raise
        first = min(step_of(path) for path in invalid.fields)
        return _step(request, declare, measure, answers, first, invalid.fields)
    except Conflict as conflict:
        if conflict.code not in ("identity.too_many_tries", "identity.year_too_often"):
            raise
        return _stopped(request, conflict, answers)
    page: Page
    if receipt.outcome in ("refused", "repairable"):
        page = _to_mend(request, receipt, answers)
    else:
        page = Redirect("/code", status_code=303)
    if cookie:
        page.cookies = [*page.cookies, cookie]
    return page


def _to_mend(request: CitizenRequest, receipt: Receipt, answers: Answers) -> Page:
    """What differs, and the way back to the first step with everything kept."""
    return render(
        request,
        f"citizen/{receipt.outcome}.html",
        told=told(receipt.match),
        hidden=answers.coming_back().pairs(),
        declaration=receipt.declaration,
    )


def _stopped(request: CitizenRequest, why: Conflict | TooManyMistakes, answers: Answers) -> Page:
    """Nothing was sent: too often wrong. What to do now."""
    status, headers = status_of(why)
    wait = -(-why.retry_after_seconds // 60) if isinstance(why, TooManyMistakes) else 0
    hidden = answers.coming_back().pairs()
    page = render(request, "citizen/stopped.html", status_code=status, words_of_it=why.words, wait=wait, hidden=hidden)
    page.headers.update(headers)
    page.headers[_SAID] = "1"
    return page


def _problems(declare: Declare, answers: Answers, now: dt.datetime) -> dict[str, Problem]:
    """What needs mending in all of the answers, by field."""
    problems: dict[str, Problem] = {}
    try:
        parse_declaration(answers.nested(), declare.form, declare.units, frozenset(declare.network.by_id), now)
    except Invalid as invalid:
        problems = dict(invalid.fields)
    return answers.settle(problems)


def _step(
    request: CitizenRequest,
    declare: Declare,
    measure: Measure,
    answers: Answers,
    step: int,
    problems: Mapping[str, Problem] | None = None,
    *,
    held: bool = False,
) -> Page:
    """The page of one step (4 is the check page), with the problems that belong to it."""
    lang: str = request.scope["state"]["lang"]
    here = answers.in_order({path: said for path, said in (problems or {}).items() if step_of(path) == step})
    return render(
        request,
        f"citizen/step{step}.html" if step < CHECK else "citizen/check.html",
        status_code=422 if here else 200,
        step=step,
        answers=answers,
        problems=here,
        hidden=answers.pairs(but=step),
        labels=_labels(declare.form),
        form=declare.form,
        units=declare.units,
        network=declare.network,
        vehicles={choice.id: choice.words.said_in(lang) for choice in declare.form.vehicles},
        departs=_departure(answers["trip.departs_at"]) if step == CHECK else "",
        countries=_countries(declare.form, lang) if step in (1, CHECK) else {},
        measure=measure,
        unusual=_unusual(answers) if step == CHECK else None,
        held=held,
    )


async def _nothing_asked(request: CitizenRequest, status_code: int) -> Page:
    held = bool(await _held(request))
    return render(request, "citizen/nothing.html", status_code=status_code, held=held)


async def _held(request: CitizenRequest) -> list[HeldCode]:
    """The codes of the browser that asks."""
    wallet = wallet_of(request)
    return await house_of(request).wallets.held(wallet) if wallet else []


def _nth(codes: list[HeldCode], n: FromPath[int]) -> HeldCode:
    if not 0 < n <= len(codes):
        raise _no_code()
    return codes[n - 1]


def _no_code() -> Hidden:
    return Hidden("code.hidden", Words("Không có mã này trên máy này.", "This code is not on this device."))


def _number(raw: object, low: int, high: int) -> int:
    """A step's number from a form; anything else is the first step."""
    text = str(raw)
    return int(text) if text.isascii() and text.isdigit() and low <= int(text[:3]) <= high else low


def _unusual(answers: Answers) -> Words | None:
    """What to look at again in the number of the card; a warning, and no problem."""
    try:
        return unusual_number(parse_document(answers["document.kind"], answers["document.number"]))
    except Invalid:
        return None


def _departure(text: str) -> str:
    """What the page's own field gave (2026-01-18T14:20), as people write it."""
    try:
        return f"{dt.datetime.fromisoformat(text):%H:%M, %d/%m/%Y}"
    except ValueError:
        return text


def _countries(form: Form, lang: str) -> dict[str, str]:
    """ISO 3166-1 alpha-2 -> name: Vietnam first, then by the language's alphabet (the form's order is Vietnamese)."""
    names = {code: words.said_in(lang) for code, words in form.countries.items()}
    if lang == "vi":
        return names
    return dict(sorted(names.items(), key=lambda country: (country[0] != "VN", fold(country[1]))))


def _labels(form: Form) -> dict[str, Words]:
    """What each field is called, on its step, in the summary of errors and on the check page."""
    return {
        **_LABELS,
        **{f"health.symptoms.{choice.id}": choice.words for choice in form.symptoms},
        **{
            f"consents.{choice.id}": Words(f"Đồng ý, mục {place}", f"Consent {place}")
            for place, choice in enumerate(form.purposes, 1)
        },
    }


_LABELS = {
    "document.kind": Words("Loại giấy tờ", "Kind of document"),
    "document.number": Words("Số giấy tờ", "Document number"),
    "guardian.kind": Words("Giấy tờ của người giám hộ", "The guardian's document"),
    "guardian.number": Words("Số giấy tờ của người giám hộ", "The guardian's document number"),
    "name": Words("Họ và tên", "Full name"),
    "birth_date": Words("Ngày sinh", "Date of birth"),
    "sex": Words("Giới tính", "Sex"),
    "nationality": Words("Quốc tịch", "Nationality"),
    "phone": Words("Số điện thoại", "Phone number"),
    "residence.province": Words("Tỉnh, thành phố nơi ở", "Province where you live"),
    "residence.commune": Words("Phường, xã nơi ở", "Commune where you live"),
    "residence.address": Words("Số nhà, đường, tổ, thôn", "House number, street, hamlet"),
    "trip.origin.province": Words("Tỉnh, thành phố nơi đi", "Province you leave from"),
    "trip.origin.commune": Words("Phường, xã nơi đi", "Commune you leave from"),
    "trip.destination.province": Words("Tỉnh, thành phố nơi đến", "Province you go to"),
    "trip.destination.commune": Words("Phường, xã nơi đến", "Commune you go to"),
    "trip.vehicle": Words("Phương tiện", "Vehicle"),
    "trip.plate": Words("Biển số xe", "Vehicle plate"),
    "trip.departs_at": Words("Ngày và giờ đi", "Day and time of departure"),
    "trip.checkpoints": Words("Chốt trên đường đi", "Checkpoints on the way"),
    "health.contact": Words("Tiếp xúc gần", "Close contact"),
    "health.places": Words("Nơi đã đến", "Places visited"),
    "consents": Words("Đồng ý", "Consent"),
}
