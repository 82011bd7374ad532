"""The citizen's code as readers of 2021 know it: shown on request, after saying what it gives away.

Only the browser that declared gets it, and only while its code is good: the old code knows no end and no signature, so
nothing that was withdrawn may live on in it. It is drawn for the one answer and kept nowhere.
"""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from motma.core.errors import Conflict, Hidden
from motma.core.words import Words
from motma.services.wallet import HeldCode
from motma.web.access import house_of, wallet_of
from motma.web.pages import render
from motma.web.qr import draw_svg

_Request = Request[Any, Any, Any]


@get("/code/{n:int}/old")
async def warn(request: _Request, n: FromPath[int]) -> Response[Any]:
    """What the old code would show, and to whom; nothing of it yet."""
    _, held = await _held(request, n)
    return render(request, "citizen/old_code.html", number=n, held=held, usable=_usable(request, held), svg=None)


@post("/code/{n:int}/old", status_code=200)
async def show(request: _Request, n: FromPath[int]) -> Response[Any]:
    """The old code, now that its holder knows. The form says whose: the numbers move when somebody is declared."""
    wallet, held = await _held(request, n)
    sent = await request.form()
    if sent.get("qid") != held.qid:
        raise _no_code()
    if not _usable(request, held):
        raise Conflict(
            "old_code.over",
            Words(
                "Mã đã hết hạn hoặc bị thu hồi nên không hiện kiểu cũ. Khai lại để có mã mới.",
                "The code has expired or was revoked, so there is no old kind of it. Declare again for a new one.",
            ),
        )
    text = await house_of(request).carriers.old_code(wallet, held.qid)
    svg = draw_svg(text, held.name)
    return render(request, "citizen/old_code.html", number=n, held=held, usable=True, svg=svg)


routes = [warn, show]


async def _held(request: _Request, n: int) -> tuple[bytes, HeldCode]:
    """(the browser's wallet, the ``n``-th code that it holds)."""
    house, wallet = house_of(request), wallet_of(request)
    codes = await house.wallets.held(wallet) if wallet else []
    if not wallet or not 0 < n <= len(codes):
        raise _no_code()
    return wallet, codes[n - 1]


def _usable(request: _Request, held: HeldCode) -> bool:
    return not held.revoked and house_of(request).clock() < held.valid_until


def _no_code() -> Hidden:
    return Hidden("code.hidden", Words("Không có mã này trên máy này.", "This code is not on this device."))
