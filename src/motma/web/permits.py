"""The operators' third page: permits, given one by one or from a table, found again, and taken back.

A list tells nobody's name, and of a number only its last six digits; the page of one permit tells whose it is, so that
the right one is taken back. What is searched for is sent and not put into the address, which others may see.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect

from motma.connectors.sheets import write_csv
from motma.core.cells import Cell
from motma.core.errors import Conflict, Hidden, Invalid, MotmaError, Problem, Unavailable
from motma.core.permit import Permit
from motma.core.permit.columns import COLUMNS, HEADERS, NEEDED
from motma.core.permit.form import parse_asked
from motma.core.words import Words
from motma.services.enrol import Operator
from motma.services.permit_import import Line, Preview
from motma.web.access import house_of, require_operator
from motma.web.gate import UPLOAD_MAX_BYTES
from motma.web.pages import render
from motma.web.problems import status_of
from motma.web.qr import draw_svg

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_SHOWN, _LINES_SHOWN, _EXPORTED_MAX, _EXPORT_PAGE = 30, 300, 20_000, 1_000

_Request = Request[Any, Any, Any]
_Form = URLEncodedBody[dict[str, str]]

LEVELS = {
    "city": Words("Công an thành phố (PC08)", "City police (PC08)"),
    "district": Words("Công an quận, huyện", "District police"),
    "ward": Words("Công an phường, xã", "Ward police"),
}
_SAID = {
    "issued": Words("đã cấp", "issued"),
    "good": Words("cấp được", "can be issued"),
    "already": Words("đã cấp từ trước", "issued before"),
    "twice": Words("trùng trong tệp", "twice in the file"),
    "later": Words("chờ dữ liệu dân cư", "waits for the register"),
    "wrong": Words("cần sửa", "to be mended"),
}
_ORDER = {state: place for place, state in enumerate(("wrong", "later", "twice", "already", "good", "issued"))}


def state_of(permit: Permit, now: dt.datetime) -> tuple[str, Words]:
    """(the sign that goes with it, how a permit is now)."""
    if permit.revoked_at:
        return "stop", Words("Đã thu hồi", "Revoked")
    if now >= permit.valid_until:
        return "unknown", Words("Đã hết hạn", "Over")
    if now < permit.valid_from:
        return "check", Words("Chưa tới ngày", "Not yet")
    return "go", Words("Đang có hiệu lực", "In force")


def span_of(permit: Permit) -> Words:
    """From when to when, as people say it: of whole days only the days."""
    begins, ends = (at.astimezone(_LOCAL) for at in (permit.valid_from, permit.valid_until))
    since = f"{begins:%d/%m/%Y}" if begins.time() == dt.time() else f"{begins:%H:%M %d/%m/%Y}"
    if ends.time() != dt.time():
        return Words(f"{since} – {ends:%H:%M %d/%m/%Y}", f"{since} – {ends:%H:%M %d/%m/%Y}")
    last = ends - dt.timedelta(days=1)
    return Words(f"{since} – hết {last:%d/%m/%Y}", f"{since} – end of {last:%d/%m/%Y}")


@get("/ops/permits", include_in_schema=False)
async def listed(
    request: _Request, operator: NamedDependency[Operator | None], before: FromQuery[str] = ""
) -> Response[bytes] | Redirect:
    """The newest first."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    found = await house_of(request).permits.recent(_SHOWN + 1, before[:30])
    return _list(request, operator, found[:_SHOWN], older=found[_SHOWN - 1].id if len(found) > _SHOWN else "")


@post("/ops/permits", status_code=200, include_in_schema=False)
async def search(request: _Request, data: _Form) -> Response[bytes]:
    """Those of one holder, or the one that a paper is."""
    operator, sought = await require_operator(request), data.get("sought", "")[:400]
    try:
        found = await house_of(request).permits.find(sought)
    except Invalid as wrong:
        return _list(request, operator, [], sought=sought, error=wrong)
    return _list(request, operator, found[:_SHOWN], sought=sought)


@get("/ops/permits/new", include_in_schema=False)
async def form(request: _Request, operator: NamedDependency[Operator | None]) -> Response[bytes] | Redirect:
    """The form for one."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    return _form(request, operator, {}, {})


@post("/ops/permits/new", status_code=200, include_in_schema=False)
async def issue(request: _Request) -> Response[bytes] | Redirect:
    """Issue one, or say what is to be mended and keep what was typed."""
    operator, house = await require_operator(request), house_of(request)
    sent = await request.form()
    given = {name: str(sent.get(name, ""))[:200] for name in (*HEADERS, "scope")}
    chosen = [str(area) for area in sent.getall("areas", [])][: len(house.permits.areas)]
    cells: dict[str, Cell] = {name: value for name, value in given.items() if name != "scope"}
    group = house.permits.groups.by_code.get(given["group"])
    for name in ("document", "name", "birth_date", "qid") if group and group.of == "vehicle" else ("plate",):
        cells[name] = None  # the page shows those only that go with the group
    cells["areas"] = "*" if given["scope"] == "all" else ";".join(chosen) if given["scope"] == "some" else ""
    try:
        now = house.clock()
        asked = parse_asked(cells, house.permits.groups, house.permits.areas, now)
        granted = await house.permits.grant(await house.permits.resolve(asked, now), by=operator.name, now=now)
    except (Invalid, Conflict, Unavailable) as wrong:
        return _form(request, operator, {**given, "areas": chosen}, wrong.fields, wrong)
    return Redirect(f"/ops/permits/one/{granted.id}", status_code=303)


@get("/ops/permits/one/{permit:str}", include_in_schema=False)
async def one(
    request: _Request, operator: NamedDependency[Operator | None], permit: FromPath[str]
) -> Response[bytes] | Redirect:
    """One permit: whose it is, its QR for the paper, and the way to take it back."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    return await _one(request, operator, permit)


@post("/ops/permits/one/{permit:str}", status_code=200, include_in_schema=False)
async def revoke(request: _Request, permit: FromPath[str], data: _Form) -> Response[bytes] | Redirect:
    """Take it back, for a reason, by somebody who says that it is the right one."""
    operator, house = await require_operator(request), house_of(request)
    reason = data.get("reason", "")
    try:
        if data.get("sure") != "yes":
            raise Invalid(
                "permit.not_sure",
                Words(
                    "So tên hoặc biển số trên giấy, rồi đánh dấu vào ô xác nhận.",
                    "Compare the name or plate with the paper, then tick the box.",
                ),
            )
        await house.permits.revoke(permit, reason, by=operator.name, now=house.clock())
    except (Invalid, Conflict) as wrong:
        return await _one(request, operator, permit, wrong, reason)
    return Redirect(f"/ops/permits/one/{permit}", status_code=303)


@get("/ops/permits/import", include_in_schema=False)
async def import_page(request: _Request, operator: NamedDependency[Operator | None]) -> Response[bytes] | Redirect:
    """Choose a file."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    return _import(request, operator)


@post("/ops/permits/import", status_code=200, include_in_schema=False, request_max_body_size=UPLOAD_MAX_BYTES)
async def preview(request: _Request) -> Response[bytes]:
    """What a file would do, row by row. Writes nothing."""
    operator, house = await require_operator(request), house_of(request)
    file = (await request.form()).get("file")
    now = house.clock()
    try:
        if not isinstance(file, UploadFile):
            raise Invalid("import.no_file", Words("Chọn một tệp.", "Choose a file."))
        seen = await house.permit_import.preview(await file.read(), now)
    except Invalid as wrong:
        return _import(request, operator, error=wrong)
    sealed = house.permit_import.close(seen, by=operator.name, now=now) if seen.good else ""
    return _import(request, operator, seen=seen, lines=seen.lines, sealed=sealed)


@post("/ops/permits/import/confirm", status_code=200, include_in_schema=False, request_max_body_size=UPLOAD_MAX_BYTES)
async def confirm(request: _Request, data: _Form) -> Response[bytes]:
    """Issue what was found good. Sent twice it does nothing twice."""
    operator, house = await require_operator(request), house_of(request)
    now = house.clock()
    try:
        good = house.permit_import.open(data.get("preview", ""), by=operator.name, now=now)
    except Invalid as wrong:
        return _import(request, operator, error=wrong)
    lines = tuple(await house.permit_import.confirm(good, by=operator.name, now=now))
    left = [line for line in lines if line.state == "later"]
    return _import(request, operator, lines=lines, done=True, sealed=data["preview"] if left else "")


@get("/ops/permits/template/{name:str}", include_in_schema=False)
async def template(request: _Request, name: FromPath[str]) -> Response[bytes]:
    """An empty table with the right columns."""
    await require_operator(request)
    house = house_of(request)
    if name == "motma-permits.csv":
        return download(house.permit_import.template_csv(), name)
    if name == "motma-permits.xlsx":
        return download(house.permit_import.template_workbook(), name)
    raise Hidden("http.404", Words("Không có trang này. Xem lại địa chỉ.", "There is no such page. Check the address."))


@get("/ops/permits/export.csv", include_in_schema=False)
async def export(request: _Request) -> Response[bytes]:
    """The newest permits, for a spreadsheet."""
    await require_operator(request)
    house = house_of(request)
    now, before = house.clock(), ""
    rows: list[tuple[str, ...]] = [
        ("permit", "number", "group", "areas", "valid_from", "valid_until", "signed_by", "signed_area", "state",
         "reason", "holder_last_six")
    ]  # fmt: skip
    while len(rows) <= _EXPORTED_MAX and (page := await house.permits.recent(_EXPORT_PAGE, before)):
        before = page[-1].id
        rows += [_exported(permit, now) for permit in page]
    return download(write_csv(rows), "motma-permits.csv")


def _exported(permit: Permit, now: dt.datetime) -> tuple[str, ...]:
    return (
        permit.id,
        permit.number,
        permit.group,
        ";".join(permit.areas) or "*",
        permit.valid_from.isoformat(),
        permit.valid_until.isoformat(),
        permit.signed_by.level,
        permit.signed_by.area,
        state_of(permit, now)[1].en,
        permit.reason,
        "" if permit.of_vehicle else permit.holder[-6:],
    )


def download(content: bytes, name: str) -> Response[bytes]:
    """A file to keep: a table."""
    kind = "text/csv" if name.endswith(".csv") else "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=kind, headers=headers)


# -- pages -----------------------------------------------------------------------------------------------------------


def _status(error: MotmaError | None) -> int:
    return status_of(error)[0] if error else 200


def _common(request: _Request, operator: Operator) -> dict[str, Any]:
    permits = house_of(request).permits
    return {
        "operator": operator.name,
        "groups": permits.groups,
        "areas": permits.areas,
        "levels": LEVELS,
        "columns": COLUMNS,
        "state_of": state_of,
        "span_of": span_of,
    }


def _list(
    request: _Request,
    operator: Operator,
    found: list[Permit],
    *,
    sought: str = "",
    older: str = "",
    error: MotmaError | None = None,
) -> Response[bytes]:
    return render(
        request,
        "ops/permits.html",
        status_code=_status(error),
        found=found,
        sought=sought,
        older=older,
        error=error,
        **_common(request, operator),
    )


def _form(
    request: _Request,
    operator: Operator,
    given: Mapping[str, Any],
    problems: Mapping[str, Problem],
    error: MotmaError | None = None,
) -> Response[bytes]:
    return render(
        request,
        "ops/permit_new.html",
        status_code=_status(error),
        given=given,
        problems=problems,
        error=error,
        **_common(request, operator),
    )


async def _one(
    request: _Request, operator: Operator, id: str, error: MotmaError | None = None, reason: str = ""
) -> Response[bytes]:
    permit, face, text = await house_of(request).permits.one(id)
    return render(
        request,
        "ops/permit.html",
        status_code=_status(error),
        permit=permit,
        face=face,
        text=text,
        qr=draw_svg(text, "QR"),
        error=error,
        reason=reason,
        **_common(request, operator),
    )


def _import(
    request: _Request,
    operator: Operator,
    *,
    seen: Preview | None = None,
    lines: tuple[Line, ...] = (),
    sealed: str = "",
    done: bool = False,
    error: MotmaError | None = None,
) -> Response[bytes]:
    ordered = sorted(lines, key=lambda line: (_ORDER[line.state], line.row))
    return render(
        request,
        "ops/permit_import.html",
        status_code=_status(error),
        lines=ordered[:_LINES_SHOWN],
        more=len(ordered) - _LINES_SHOWN,
        counts={state: sum(line.state == state for line in lines) for state in _ORDER},
        said=_SAID,
        ignored=seen.ignored if seen else (),
        sealed=sealed,
        done=done,
        error=error,
        needed=NEEDED,
        headers=HEADERS,
        **_common(request, operator),
    )


routes = [listed, search, form, issue, one, revoke, import_page, preview, confirm, template, export]
