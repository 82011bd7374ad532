"""The citizen's code on paper: a PDF for the browser that holds it, and for nobody else."""

import asyncio
import datetime as dt
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from motma.core.errors import Conflict, Hidden
from motma.core.words import Words
from motma.web.access import house_of, wallet_of
from motma.web.paper import PaperCode, draw_paper, file_name


@get("/code/{n:int}/paper", media_type="application/pdf")
async def print_code(request: Request[Any, Any, Any], n: FromPath[int]) -> Response[bytes]:
    """The ``n``-th code that this browser holds (1 is the newest): an A4 sheet with a card to cut out."""
    house, wallet = house_of(request), wallet_of(request)
    now = house.clock()
    codes = await house.wallets.held(wallet) if wallet else []
    if not 0 < n <= len(codes):
        raise Hidden("code.hidden", Words("Không có mã này trên máy này.", "This code is not on this device."))
    held = codes[n - 1]
    refuse_spent(held.revoked, held.suspended, held.valid_until, now)
    lang: str = request.scope["state"]["lang"]
    text = await house.carriers.on_paper(held.code_id, now)
    code = PaperCode(text, held.name, held.qid, held.valid_from, held.valid_until)
    return Response(
        await asyncio.to_thread(lambda: b"".join(draw_paper([code], lang=lang))),
        media_type="application/pdf",
        headers={
            "cache-control": "no-store",
            "content-disposition": f'attachment; filename="{file_name(held.qid)}"',
        },
    )


routes = [print_code]


def refuse_spent(revoked: bool, suspended: bool, valid_until: dt.datetime, now: dt.datetime) -> None:
    """Raise :class:`Conflict` ``paper.revoked``, ``paper.suspended`` or ``paper.expired``: paper must not look valid
    when it is not."""
    if revoked:
        raise Conflict(
            "paper.revoked",
            Words(
                "Mã đã bị thu hồi nên không in. Hỏi cán bộ chốt.",
                "The code was revoked, so it is not printed. Ask at a checkpoint.",
            ),
        )
    if suspended:
        raise Conflict(
            "paper.suspended",
            Words(
                "Mã đang tạm ngưng nên không in. Hỏi cán bộ chốt.",
                "The code is suspended, so it is not printed. Ask at a checkpoint.",
            ),
        )
    if valid_until <= now:
        raise Conflict(
            "paper.expired",
            Words(
                "Mã đã hết hạn nên không in. Khai lại để có mã mới.",
                "The code has expired, so it is not printed. Declare again for a new one.",
            ),
        )
