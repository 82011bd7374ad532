"""``/docs``: the exchange API with a first call that works by copy and paste, and what each error code means.

The list of codes is read from the source itself, where each code stands beside its words, so it cannot fall behind.
"""

import ast
import datetime as dt
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from motma import __version__
from motma.core.form import Form
from motma.core.words import Words
from motma.policies import known_reasons
from motma.web.access import house_of
from motma.web.pages import render

openapi = OpenAPIConfig(
    title="Một Mã",
    version=__version__,
    description="One health declaration, one code per citizen, valid on every platform and at every checkpoint.",
    path="/v1",
    render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    use_handler_docstrings=True,
    components=Components(
        security_schemes={
            "platform": SecurityScheme(type="http", scheme="bearer", description="A platform's access token"),
            "device": SecurityScheme(type="apiKey", name="motma_device", security_scheme_in="cookie"),
            "shift": SecurityScheme(type="apiKey", name="motma_shift", security_scheme_in="cookie"),
        }
    ),
)


@get("/docs", include_in_schema=False)
async def docs(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The first call, and where the rest is described."""
    house = house_of(request)
    body = sample_declaration(house.declare.form, house.clock())
    return render(
        request,
        "docs/index.html",
        url=str(request.base_url).rstrip("/"),
        sample=msgspec.json.format(msgspec.json.encode(body), indent=2).decode(),
    )


@get("/docs/errors", include_in_schema=False)
async def errors(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Every error code, with its words in both languages."""
    return render(request, "docs/errors.html", codes=error_codes())


def sample_declaration(form: Form, now: dt.datetime) -> dict[str, Any]:
    """A declaration of somebody in the demonstration's fictional register, leaving in an hour."""
    home = {"province": "22", "commune": "06862"}
    return {
        "name": "Nguyễn Hoàng Nga",
        "birth_date": "1985-03-21",
        "sex": "female",
        "nationality": "VN",
        "document": {"kind": "cccd", "number": "999185007328"},
        "phone": "+84502140931",
        "residence": {**home, "address": "Thôn 13, tổ 8"},
        "trip": {
            "origin": home,
            "destination": {"province": "79", "commune": "25747"},
            "checkpoints": ["g04-ba-lang"],
            "vehicle": "motorbike",
            "plate": "59X312345",
            "departs_at": (now + dt.timedelta(hours=1)).isoformat(timespec="minutes"),
        },
        "health": {"symptoms": {choice.id: False for choice in form.symptoms}, "contact": False, "places": ""},
        "consents": [purpose.id for purpose in form.purposes],
    }


@cache
def error_codes() -> dict[str, Words]:
    """Code -> words, for every code that the source or a rule that ships names together with its words."""
    codes = {code: reason.words for code, reason in known_reasons().items()}

    def walk(here: Traversable) -> None:
        for entry in here.iterdir():
            if entry.is_dir():
                walk(entry)
            elif entry.name.endswith(".py"):
                codes.update(_codes_in(ast.parse(entry.read_text())))

    walk(resources.files("motma"))
    return dict(sorted(codes.items()))


def _codes_in(tree: ast.AST) -> dict[str, Words]:
    """Calls of the form ``Kind("dotted.code", …, Words(vi, en), …)``."""
    found = {}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        code = call.args[0]
        if not (isinstance(code, ast.Constant) and isinstance(code.value, str) and "." in code.value):
            continue
        for words in call.args[1:]:
            if isinstance(words, ast.Call) and isinstance(words.func, ast.Name) and words.func.id == "Words":
                found[code.value] = Words(*(_text(sentence) for sentence in words.args[:2]))
                break
    return found


def _text(sentence: ast.expr) -> str:
    """A sentence as it stands; what is filled in when it is said is shown as an ellipsis."""
    if isinstance(sentence, ast.Constant):
        return str(sentence.value)
    if isinstance(sentence, ast.JoinedStr):
        return "".join(_text(part) for part in sentence.values)
    return "…"
