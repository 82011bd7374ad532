"""The form for other people's programs, as a FHIR Questionnaire. Open to everybody.

It is not in our OpenAPI description: what it looks like is FHIR's to say.
"""

from functools import cache
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from motma.connectors.platforms.fhir.questionnaire import questionnaire
from motma.core.errors import Hidden
from motma.core.words import Words
from motma.forms import load_form, load_units


@get("/v1/forms/{form:str}/fhir", include_in_schema=False)
async def as_questionnaire(form: FromPath[str]) -> Response[bytes]:
    """A version of the form as a Questionnaire of FHIR R4: a ``linkId`` is the dotted path of what is answered."""
    if form not in _published():
        raise Hidden("form.unknown", Words("Không có mẫu khai này.", "There is no such form."))
    content = msgspec.json.encode(_published()[form])
    return Response(content, media_type="application/fhir+json", headers={"cache-control": "max-age=3600"})


@cache
def _published() -> dict[str, dict[str, Any]]:
    form = load_form("2026-1")
    return {form.id: questionnaire(form, load_units())}


routes = [as_questionnaire]
