"""The operators' page for tables of declarations: looked at row by row, sent for a platform, reported to it.

Offices that have no programmers bring their tables; of each row the page tells the last four digits and what to mend.
The report is made by sending once more, which sends nothing twice.
"""

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from motma.core.errors import Hidden, Invalid, MotmaError
from motma.core.words import Words
from motma.services.enrol import Operator
from motma.services.exchange.intake import Line, Preview, report_csv
from motma.web.access import house_of, require_operator
from motma.web.gate import UPLOAD_MAX_BYTES
from motma.web.pages import render
from motma.web.permits import download
from motma.web.problems import status_of

_LINES_SHOWN = 300
_Request = Request[Any, Any, Any]
_Form = URLEncodedBody[dict[str, str]]

_SAID = {
    "wrong": ("stop", Words("cần sửa", "to be mended")),
    "refused": ("stop", Words("không khớp dữ liệu dân cư", "do not match the register")),
    "later": ("check", Words("chưa gửi được", "could not be sent now")),
    "repairable": ("check", Words("đã gửi, xem lại họ tên", "sent, look at the name again")),
    "pending": ("check", Words("đã gửi, chờ dữ liệu dân cư", "sent, wait for the register")),
    "unidentified": ("check", Words("đã gửi, không có số giấy tờ", "sent, without a number")),
    "twice": ("unknown", Words("trùng trong tệp", "twice in the file")),
    "good": ("go", Words("gửi được", "can be sent")),
    "accepted": ("go", Words("đã gửi, có mã", "sent, with a code")),
}
"""State of a row, or what became of it -> (the sign that goes with it, what it is called), the gravest first."""


@get("/ops/import", include_in_schema=False)
async def import_page(request: _Request, operator: NamedDependency[Operator | None]) -> Response[bytes] | Redirect:
    """Choose a platform and a file."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    return await _page(request, operator)


@post("/ops/import", status_code=200, include_in_schema=False, request_max_body_size=UPLOAD_MAX_BYTES)
async def preview(request: _Request) -> Response[bytes]:
    """What a file would do, row by row. Sends nothing."""
    operator, house = await require_operator(request), house_of(request)
    form, now = await request.form(), house.clock()
    file, chosen = form.get("file"), str(form.get("source") or "")
    try:
        source = await house.intake.sender(chosen, now)
        if not isinstance(file, UploadFile):
            raise Invalid("import.no_file", Words("Chọn một tệp.", "Choose a file."))
        seen = await house.intake.preview(await file.read(), now)
        sealed = house.intake.close(seen, source, by=operator.name, now=now) if seen.good else ""
    except (Invalid, Hidden) as wrong:
        return await _page(request, operator, error=wrong, source=chosen)
    return await _page(request, operator, seen=seen, lines=seen.lines, sealed=sealed, source=source)


@post("/ops/import/confirm", status_code=200, include_in_schema=False, request_max_body_size=UPLOAD_MAX_BYTES)
async def confirm(request: _Request, data: _Form) -> Response[bytes]:
    """Send what was found good. Sent twice it does nothing twice."""
    operator = await require_operator(request)
    try:
        source, lines = await _send(request, operator, data)
    except (Invalid, Hidden) as wrong:
        return await _page(request, operator, error=wrong)
    return await _page(request, operator, lines=tuple(lines), done=True, sealed=data["preview"], source=source)


@post("/ops/import/report", status_code=200, include_in_schema=False, request_max_body_size=UPLOAD_MAX_BYTES)
async def report(request: _Request, data: _Form) -> Response[bytes]:
    """What became of every row, with the codes, for the office that keeps the table."""
    operator = await require_operator(request)
    try:
        _, lines = await _send(request, operator, data)
    except (Invalid, Hidden) as wrong:
        return await _page(request, operator, error=wrong)
    return download(report_csv(lines), "motma-import-report.csv")


async def _send(request: _Request, operator: Operator, data: dict[str, str]) -> tuple[str, list[Line]]:
    house = house_of(request)
    seen = house.intake.open(data.get("preview", ""), by=operator.name, now=house.clock())
    source = await house.intake.sender(seen.source, house.clock())
    sent = await house.intake.send(seen.good, source=source, clock=house.clock)
    return source, sorted([*sent, *seen.left], key=lambda line: line.row)


@get("/ops/import/template/{name:str}", include_in_schema=False)
async def template(request: _Request, name: FromPath[str]) -> Response[bytes]:
    """An empty table with the right columns."""
    await require_operator(request)
    tables = house_of(request).intake.tables
    if name == "motma-declarations.csv":
        return download(tables.template_csv(), name)
    if name == "motma-declarations.xlsx":
        return download(tables.template_workbook(), name)
    raise Hidden("http.404", Words("Không có trang này. Xem lại địa chỉ.", "There is no such page. Check the address."))


def _kind(line: Line) -> str:
    return line.outcome or line.state


async def _page(
    request: _Request,
    operator: Operator,
    *,
    seen: Preview | None = None,
    lines: tuple[Line, ...] = (),
    sealed: str = "",
    source: str = "",
    done: bool = False,
    error: MotmaError | None = None,
) -> Response[bytes]:
    house = house_of(request)
    order = {kind: place for place, kind in enumerate(_SAID)}
    ordered = sorted(lines, key=lambda line: (order[_kind(line)], line.row))
    headings = house.intake.tables.columns.headings
    return render(
        request,
        "ops/import.html",
        status_code=status_of(error)[0] if error else 200,
        operator=operator.name,
        senders=await house.intake.senders(house.clock()),
        source=source,
        sheet=seen.sheet if seen else None,
        headings=headings,
        lines=ordered[:_LINES_SHOWN],
        more=len(ordered) - _LINES_SHOWN,
        counts={kind: sum(_kind(line) == kind for line in lines) for kind in _SAID},
        already=sum(line.state == "already" for line in lines),
        kind_of=_kind,
        said=_SAID,
        sealed=sealed,
        done=done,
        error=error,
    )


routes = [import_page, preview, confirm, report, template]
