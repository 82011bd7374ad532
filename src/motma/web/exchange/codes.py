"""Codes: is this one good, and the one to show for a declaration, as text or as a picture."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast, get_args

import msgspec
from litestar import Request, Response, get, post
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Schema
from litestar.openapi.spec import Parameter as OpenAPIParameter
from litestar.params import FromPath, JSONBody

from motma.core.described import says
from motma.core.errors import Hidden, Invalid, Problem
from motma.core.ids import parse_fact_id
from motma.core.words import Words
from motma.services.enrol import Platform
from motma.services.exchange.verify import State, Verified
from motma.services.gather import Why
from motma.web.access import house_of
from motma.web.api import Described, JsonRequest, json_only, problems
from motma.web.exchange.guard import platform_with
from motma.web.qr import draw_png, svg_file

_Kind = Literal["text", "png", "svg"]
_KINDS: dict[_Kind, str] = {"text": "text/plain", "png": "image/png", "svg": "image/svg+xml"}


class CodeSent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code, and where it is shown."""

    code: Annotated[str, says("The text of a QR, whatever it is.", "NCFLA0+00FFWTWGSLKC…")]
    checkpoint: Annotated[
        str | None,
        says(
            "An id of `GET /v1/checkpoints`: all that is asked there is asked. Left out: only what does not depend on "
            "a place.",
            "g04-ba-lang",
        ),
    ] = None


class ReadingAnswer(msgspec.Struct, frozen=True):
    """A code that is not ours."""

    kind: Annotated[str, says("`cccd`, `dcc`, `national_v1_1`, …", "dcc")]
    words: Annotated[dict[str, str], says("What that is called.", {"vi": "…", "en": "…"})]
    worth: Annotated[
        str, says("`good`, `broken`, `unknown` (of a signer not known here), `plain` (not signed).", "good")
    ]


class CodeAnswer(msgspec.Struct, frozen=True):
    """What the code is worth now."""

    good: Annotated[
        bool | None,
        says("True or false where it can be said; null where somebody has to look: that is no refusal.", True),
    ]
    state: Annotated[
        State,
        says(
            "`check`: look at the reasons; `withdrawn` also for now; `not_ours`: another kind of code, or none; "
            "`unknown`: its signer or its citizen is not known here.",
            "good",
        ),
    ]
    qid: Annotated[str | None, says("The number that its citizen goes by.", "521322923144321717")]
    reasons: Annotated[tuple[Why, ...], says("The deciding one first, in both languages.", [])]
    name: Annotated[str | None, says("As the code says; null unless it is ours and whole.", "Nguyễn Trần Quốc An")]
    birth_date: dt.date | None
    last_four: Annotated[str | None, says("Of the document.", "4952")]
    valid_until: dt.datetime | None
    reading: ReadingAnswer | None = None


@post(
    "/v1/verifications",
    status_code=200,
    include_in_schema=True,
    operation_class=Described,
    response_description="What it is worth now",
    summary="Is this code good?",
    tags=["platforms"],
    guards=[platform_with("codes:verify"), json_only],
    request_class=JsonRequest,
    opt={"reads": msgspec.json.Decoder(CodeSent)},
    security=[{"platform": []}],
    responses=problems(401, 403, 413, 415, 422, 429, 503),
)
async def verify_code(request: Request[Any, Any, Any], data: JSONBody[CodeSent]) -> CodeAnswer:
    """Of any code. Whose code it is can see that this platform looked; once for a minute of looking."""
    platform: Platform = request.scope["state"]["platform"]
    house = house_of(request)
    return _answer(await house.verify.verify(data.code, data.checkpoint, source=platform.id, now=house.clock()))


@dataclass
class _Drawn(Described):
    """Describes the kinds of answer, and the two ways to ask for one."""

    def __post_init__(self) -> None:
        """Adds them to what is described already."""
        super().__post_init__()
        kind = OpenAPIParameter(
            name="format",
            param_in="query",
            description="Instead of the `Accept` header. Without either it is the text.",
            schema=Schema(type=OpenAPIType.STRING, enum=list(_KINDS)),
        )
        self.parameters = [*(self.parameters or []), kind]
        response: Any = (self.responses or {}).get("200")
        if response is not None:
            of_text, of_bytes = (
                Schema(type=OpenAPIType.STRING),
                Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY),
            )
            response.content = {
                kind: OpenAPIMediaType(schema=of_bytes if name == "png" else of_text) for name, kind in _KINDS.items()
            }


@get(
    "/v1/declarations/{declaration:str}/code",
    include_in_schema=True,
    operation_class=_Drawn,
    media_type="text/plain",
    response_description="The code to show now",
    summary="The code as text or as a picture",
    tags=["platforms"],
    guards=[platform_with("codes:read")],
    security=[{"platform": []}],
    responses=problems(401, 403, 404, 409, 422, 429, 503),
)
async def draw_code(request: Request[Any, Any, Any], declaration: FromPath[str]) -> Response[bytes]:
    """Of a declaration that this platform sent: the citizen's newest code, once it is known to be theirs."""
    platform: Platform = request.scope["state"]["platform"]
    kind = _kind(request)
    try:
        id = parse_fact_id("dcl", declaration)
    except Invalid:
        raise Hidden(
            "declaration.hidden",
            Words("Nơi gửi này không có tờ khai nào như vậy.", "There is no such declaration of this sender."),
        ) from None
    code = await house_of(request).own_code.of(id, source=platform.id)
    mark = hashlib.sha256(f"{kind}\n{code.qid}\n{code.text}".encode()).hexdigest()[:32]
    headers = {"etag": f'"{mark}"', "cache-control": "no-store", "vary": "Accept"}
    if mark in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    if kind == "png":
        body = draw_png(code.text, code.name, code.qid)
    else:
        body = svg_file(code.text, f"Mã của {code.name}") if kind == "svg" else code.text.encode()
    return Response(body, media_type=_KINDS[kind], headers=headers)


def _kind(request: Request[Any, Any, Any]) -> _Kind:
    """What is asked for: by name, or by the kinds of content that the client takes."""
    named = request.query_params.get("format")
    if named is None:
        accepted = request.headers.get("accept", "")
        return "svg" if _KINDS["svg"] in accepted else "png" if _KINDS["png"] in accepted else "text"
    if named not in get_args(_Kind):
        words = Words("Chỉ có text, png, svg.", "There is only text, png, svg.")
        raise Invalid("code.format", words, {"format": Problem("field.options", words)})
    return cast(_Kind, named)


def _answer(verified: Verified) -> CodeAnswer:
    reading = verified.reading
    return CodeAnswer(
        verified.good,
        verified.state,
        verified.qid,
        verified.reasons,
        verified.name,
        verified.birth_date,
        verified.last_four,
        verified.valid_until,
        ReadingAnswer(reading.kind, reading.words, reading.worth) if reading else None,
    )


routes = [verify_code, draw_code]
