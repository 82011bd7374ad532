"""The operators' page of disputes: about whom sources disagree, in which field, who says so and since when.

No name stands here and no value: of a number its last six digits, of a phone its last two.
"""

from collections import Counter
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.response import Redirect

from motma.core.provenance import FIELDS
from motma.core.words import Words
from motma.services.enrol import Operator
from motma.services.exchange.provenance import LISTED_MOST
from motma.web.access import house_of
from motma.web.pages import render

_SHOWN = 50

LABELS = {
    "name": Words("họ tên", "name"),
    "birth_date": Words("ngày sinh", "birth date"),
    "sex": Words("giới tính", "sex"),
    "nationality": Words("quốc tịch", "nationality"),
    "phone": Words("số điện thoại", "phone number"),
    "residence": Words("nơi ở", "residence"),
}


@get("/ops/disputes", include_in_schema=False)
async def disputes(
    request: Request[Any, Any, Any], operator: NamedDependency[Operator | None]
) -> Response[bytes] | Redirect:
    """Those that are open, the newest first."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    found = await house_of(request).sources.disputes()
    counts = Counter(field for dispute in found for field, _ in dispute.fields)
    return render(
        request,
        "ops/disputes.html",
        operator=operator.name,
        disputes=found[:_SHOWN],
        count=len(found),
        at_most=LISTED_MOST,
        counts=[(field, counts[field]) for field in FIELDS if counts[field]],
        labels=LABELS,
    )


routes = [disputes]
