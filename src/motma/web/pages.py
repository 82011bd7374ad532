"""Pages in two languages from one template: ``t(vi, en)`` puts both sentences side by side where they are said."""

import datetime as dt
import gzip
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import MediaType, Request, Response

from motma.core.ids import group_qid
from motma.core.words import Words
from motma.web.assets import asset_url

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_SQUEEZE_FROM_BYTES = 1_000


@pass_context
def _t(context: Context, vi: str, en: str) -> str:
    return en if context["lang"] == "en" else vi


@pass_context
def _words(context: Context, words: Words) -> str:
    return words.said_in(context["lang"])


@pass_context
def _when(context: Context, moment: dt.datetime) -> str:
    """A time as people say it: 14:20 hôm nay / 14:20 today; 14:20, 18/01."""
    local, today = moment.astimezone(_LOCAL), context["now"].astimezone(_LOCAL).date()
    clock = f"{local:%H:%M}"
    if local.date() == today:
        return clock + _t(context, " hôm nay", " today")
    return f"{clock}, {local:%d/%m/%Y}" if local.year != today.year else f"{clock}, {local:%d/%m}"


_environment = Environment(
    loader=FileSystemLoader(str(resources.files("motma.web") / "templates")),
    autoescape=True,
    auto_reload=False,  # or every page asks the disk about each of its templates
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(t=_t, words=_words, when=_when, asset=asset_url, group_qid=group_qid, sandbox=False)


def render_text(request: Request[Any, Any, Any], template: str, **context: Any) -> str:
    """The text of a page or of a part of one, in the language of the request."""
    house = request.app.state.house
    return _environment.get_template(template).render(
        request=request,
        lang=request.scope["state"]["lang"],
        now=house.clock(),
        sandbox=house.sandbox is not None,
        **context,
    )


def render(
    request: Request[Any, Any, Any], template: str, *, status_code: int = 200, **context: Any
) -> Response[bytes]:
    """A page. Never cached: pages hold what was typed, or a code."""
    body = render_text(request, template, **context).encode()
    headers = {"cache-control": "no-store", "vary": "Cookie, Accept-Encoding"}
    if len(body) > _SQUEEZE_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 3)
        headers["content-encoding"] = "gzip"
    return Response(body, status_code=status_code, media_type=MediaType.HTML, headers=headers)
