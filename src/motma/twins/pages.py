"""The twin's three pages: declare, my code, scan. Vietnamese first, English beside it."""

import datetime as dt
from collections.abc import Mapping
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import zxingcpp
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from motma.core.ids import group_qid
from motma.core.words import Words
from motma.twins.forms import Answers, Twin, communes, countries
from motma.twins.scanner import Held, Seen
from motma.twins.store import Citizen, Letter

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_STATES = {
    "good": ("go", Words("Mã dùng được.", "The code is good.")),
    "check": (
        "check",
        Words(
            "Mã dùng được; cán bộ sẽ xem lại giấy tờ tại chốt.",
            "The code can be used; the officer will look at the document at the checkpoint.",
        ),
    ),
    "withdrawn": ("stop", Words("Mã đã bị thu hồi.", "The code has been withdrawn.")),
    "suspended": ("stop", Words("Mã đang tạm dừng.", "The code is suspended.")),
    "expired": ("unknown", Words("Mã đã hết hạn. Mời khai lại.", "The code has expired. Please declare again.")),
}
_HEALTH = {
    "positive": Words(
        "Cơ quan y tế có thông báo cho bạn: ở yên tại chỗ và làm theo hướng dẫn của trạm y tế.",
        "The health authority has a notice for you: stay where you are and follow your health station.",
    ),
    "contact": Words(
        "Bạn được ghi nhận là người tiếp xúc: làm theo hướng dẫn của trạm y tế.",
        "You are recorded as a contact: follow your health station.",
    ),
    "symptoms": Words(
        "Bạn khai có triệu chứng: chốt sẽ hỏi thêm.", "You declared symptoms: the checkpoint will ask more."
    ),
}


@pass_context
def _t(context: Context, vi: str, en: str) -> str:
    return en if context["lang"] == "en" else vi


@pass_context
def _words(context: Context, words: Words) -> str:
    return words.said_in(context["lang"])


def _age(context: Any, moment: dt.datetime, now: dt.datetime) -> str:
    minutes = max(0, int((now - moment).total_seconds() // 60))
    if minutes <= 1:
        return str(_t(context, "vừa xong", "just now"))
    if minutes < 120:
        return str(_t(context, f"{minutes} phút trước", f"{minutes} minutes ago"))
    return str(_t(context, f"{minutes // 60} giờ trước", f"{minutes // 60} hours ago"))


def _when(text: str | dt.datetime) -> str:
    """14:20, 18/01/2026, Vietnamese time."""
    moment = dt.datetime.fromisoformat(text) if isinstance(text, str) else text
    return f"{moment.astimezone(_LOCAL):%H:%M, %d/%m/%Y}"


_environment = Environment(
    loader=FileSystemLoader(str(resources.files("motma.twins") / "templates")),
    autoescape=True,
    auto_reload=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(t=_t, words=_words, when=_when, age=pass_context(_age), group_qid=group_qid)


class Pages:
    """The pages of ``twin``."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin

    def form(self, lang: str, answers: Answers | None = None, letter: Letter | None = None) -> str:
        """What the platform asks; with ``answers`` filled in, beside what the exchange said of ``letter``."""
        said = msgspec.json.decode(letter.said) if letter else {}
        mistakes, others = self._mistakes(said.get("fields") or {})
        return self._render(
            "form.html",
            lang,
            communes=communes(),
            countries=countries(),
            answers=answers or {},
            refusal=_words_of(said) if letter else None,
            mistakes=mistakes,
            others=others,
        )

    def _mistakes(self, fields: Mapping[str, Any]) -> tuple[dict[str, Words], dict[str, Words]]:
        """What is wrong, by the name of our input; and what has none, unless an input has been told something."""
        inputs = [field.name for _, section in self._twin.sections for field in section]
        mistakes, others = {}, {}
        for name, problem in fields.items():
            under = next((one for one in inputs if one == name or one.startswith(f"{name}.")), None)
            if under is None:
                others[name] = _words_of(problem)
            else:
                mistakes[under] = _words_of(problem)
        return mistakes, {} if mistakes else others

    def _called(self, name: str) -> Words:
        """What the form calls its field ``name``."""
        fields = (field for _, section in self._twin.sections for field in section)
        return next((one.words for one in fields if one.name == name), Words(name, name))

    def mine(self, lang: str, letter: Letter, citizen: Citizen | None) -> str:
        """What became of one's declaration; the citizen's code as it is now, whoever of the platforms changed it."""
        said = msgspec.json.decode(letter.said) if letter.state != "waiting" and letter.said else {}
        receipt = said if letter.state == "sent" else {}
        code = (citizen and citizen.code) or receipt.get("code")
        return self._render(
            "mine.html",
            lang,
            letter=letter,
            citizen=citizen,
            receipt=receipt,
            problem=said if letter.state == "refused" else {},
            svg=_svg(code) if code else "",
            code=code,
            state=_STATES.get((citizen and citizen.state) or ""),
            health=_HEALTH.get((citizen and citizen.health) or ""),
            called=lambda name: self._called(name).said_in(lang),
        )

    def scan(self, lang: str, seen: Seen | None, held: Held, now: dt.datetime) -> str:
        """The scanner: what it says of a code, and how old what it knows is."""
        return self._render("scan.html", lang, seen=seen, held=held, now=now)

    def nothing(self, lang: str) -> str:
        """There is no such page here."""
        return self._render("nothing.html", lang)

    def _render(self, template: str, lang: str, **context: Any) -> str:
        return _environment.get_template(template).render(twin=self._twin, lang=lang, **context)


def _words_of(problem: Mapping[str, Any]) -> Words:
    """What the exchange says is wrong, or at least its code."""
    words, code = problem.get("words") or {}, str(problem.get("code", ""))
    return Words(words.get("vi", code), words.get("en", code))


def _svg(text: str) -> Markup:
    """The code as a QR with its quiet zone, dark on pure white, one unit a module."""
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    pixels = memoryview(barcode.to_image(scale=1, add_quiet_zones=True))  # type: ignore[arg-type]
    side, flat = len(pixels), pixels.tobytes()
    path = "".join(f"M{at % side} {at // side}.5h1" for at, light in enumerate(flat) if not light)
    return Markup(
        '<svg class="qr" role="img" aria-label="QR" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        '<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path stroke="#000" d="{path}"/></svg>'
    ).format(side=side, path=path)
