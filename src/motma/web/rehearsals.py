"""The operators' page on which a draft policy is rehearsed over the scans of the last days, before it is switched on.

It runs beside the server, one draft at a time; the page shows how far it is, and then who would change side. Nobody is
named on it: not who was scanned, nor who scanned.
"""

import re
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from motma.core.errors import Conflict, Hidden, Invalid, MotmaError
from motma.core.ids import FactId
from motma.core.policy.enacted import Step
from motma.core.policy.writing import document_of, write_yaml
from motma.core.rehearsal import OUTCOMES, Report, changed
from motma.core.words import Words
from motma.policies import SHIPPED, load_policy
from motma.services.enrol import Operator
from motma.services.policies import Refused
from motma.services.rehearsal import read_draft
from motma.services.rehearsalroom import MOST_DAYS, Run
from motma.web.access import house_of, require_operator
from motma.web.evidencewords import EvidenceWords
from motma.web.pages import render, render_text
from motma.web.plan import VERDICTS
from motma.web.problems import status_of

_DRAFT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_DAYS = (1, 3, 7, 14, MOST_DAYS)
_KINDS_SHOWN = 20

_Request = Request[Any, Any, Any]
_Form = URLEncodedBody[dict[str, str]]
_Maybe = NamedDependency[Operator | None]


@get("/ops/policies/{draft:str}/replay", include_in_schema=False)
async def page(request: _Request, operator: _Maybe, draft: FromPath[str]) -> Response[bytes] | Redirect:
    """Where a draft's rehearsal stands, or what came of it; and the form that begins one."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    return await _page(request, operator, _known(draft))


@post("/ops/policies/{draft:str}/replay", include_in_schema=False)
async def begin(request: _Request, data: _Form, draft: FromPath[str]) -> Response[bytes] | Redirect:
    """Begin, or say what is wrong and keep what was typed."""
    operator, house = await require_operator(request), house_of(request)
    text, days = data.get("text", ""), data.get("days", "")
    try:
        step = (await house.policies.enacted(house.clock())).steps.get(FactId(_known(draft)))
        policy = step.policy if step and step.is_off else read_draft(text)
        number = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 0
        await house.rehearsals.begin(draft, text, policy, days=number, by=operator.name, now=house.clock())
    except (Invalid, Conflict) as error:
        return await _page(request, operator, draft, text=text, days=days, error=error)
    return Redirect(f"/ops/policies/{draft}/replay", status_code=303)


@post("/ops/policies/{draft:str}/replay/stop", include_in_schema=False)
async def stop(request: _Request, draft: FromPath[str]) -> Redirect:
    """Stop it; whoever is an operator may."""
    await require_operator(request)
    await house_of(request).rehearsals.cancel(_known(draft))
    return Redirect(f"/ops/policies/{draft}/replay", status_code=303)


@get("/ops/policies/{draft:str}/replay/progress", include_in_schema=False)
async def progress(request: _Request, draft: FromPath[str]) -> Response[str]:
    """The part of the page that says how far it is, while it runs; empty when it does no more."""
    await require_operator(request)
    run = house_of(request).rehearsals.last(_known(draft))
    running = run is not None and run.state == "running"
    text = render_text(request, "ops/_rehearsal.html", run=run) if running else ""
    return Response(text, media_type="text/html", headers={"cache-control": "no-store"})


def _known(draft: str) -> str:
    if not _DRAFT.fullmatch(draft):
        raise Hidden("policy.unknown", Words("Không có chính sách này.", "There is no such policy."))
    return draft


async def _begun(request: _Request, draft: str) -> tuple[str, Step | None]:
    """What to begin with, and the step if ``draft`` is one: its text, or the policy that ships under this name."""
    house = house_of(request)
    step = (await house.policies.enacted(house.clock())).steps.get(FactId(draft))
    if step:
        return step.text, step
    return (write_yaml(document_of(load_policy(draft))) if draft in SHIPPED else ""), None


async def _page(
    request: _Request,
    operator: Operator,
    draft: str,
    *,
    text: str | None = None,
    days: str = "1",
    error: MotmaError | None = None,
) -> Response[bytes]:
    house = house_of(request)
    run, running = house.rehearsals.last(draft), house.rehearsals.running
    written, step = await _begun(request, draft)
    if text is None:
        text = run.text if run else written
    return render(
        request,
        "ops/rehearsal.html",
        status_code=status_of(error)[0] if error else 200,
        operator=operator.name,
        draft=draft,
        run=run,
        step=step,
        other=running if running is not run else None,
        result=_result(house.steer.network, house.declare.form, run) if run and run.report else None,
        text=text,
        days=days if days.isdigit() else "1",
        choices=_DAYS,
        error=error,
        problems=error.findings if isinstance(error, Refused) else (),
    )


def _result(network: Any, form: Any, run: Run) -> dict[str, Any]:
    """What the page tells of a rehearsal that is done."""
    report = run.report
    assert report is not None
    say = EvidenceWords(network, form)
    shown = {"now", *run.script.fields} - {"clock.minute"}  # the hour is told already
    kinds = []
    for kind, changes in report.kinds[:_KINDS_SHOWN]:
        examples = [
            {
                "place": say.place(example.checkpoint),
                "facts": say.say(example.evidence, shown),
                "before": _said(run, example.before.outcome, example.before.reasons),
                "after": _said(run, example.after.outcome, example.after.reasons),
            }
            for _, example in changes.drawn
        ]
        kinds.append(
            {
                "before": kind.before,
                "after": kind.after,
                "stricter": kind.stricter,
                "reason": _reason(run, kind.reason),
                "count": changes.count,
                "examples": examples,
            }
        )
    cells = {
        (before, after): report.sides[4 * i + j]
        for i, before in enumerate(OUTCOMES)
        for j, after in enumerate(OUTCOMES)
    }
    befores = [one for one in OUTCOMES if any(cells[one, after] for after in OUTCOMES)]
    afters = [one for one in OUTCOMES if any(cells[before, one] for before in OUTCOMES)]
    return {
        "report": report,
        "verdicts": VERDICTS,
        "sides": [(before, [(after, cells[before, after]) for after in afters]) for before in befores],
        "outcomes": afters,
        "kinds": kinds,
        "more_kinds": len(report.kinds) - len(kinds),
        "stricter": any(kind.stricter for kind, _ in report.kinds),
        "milder": not all(kind.stricter for kind, _ in report.kinds),
        "drifted": changed(report.since_then),
        "tables": _tables(report, say),
        "failed": sorted(report.failed.items()),
    }


def _said(run: Run, outcome: str, reasons: tuple[str, ...]) -> tuple[Words, list[Words]]:
    return VERDICTS[outcome], [_reason(run, code) for code in reasons]


def _reason(run: Run, code: str) -> Words:
    words = run.words.get(code) or Words(code, code)
    return Words(words.vi.rstrip("."), words.en.rstrip("."))


def _tables(report: Report, say: EvidenceWords) -> list[tuple[str, list[tuple[Words, int, int, int]]]]:
    """(of what, rows of (its name, scans, now stricter, now milder)) where anything changes, the most changed first;
    hours in their order."""

    def rows(tables: list[tuple[Words, list[int]]]) -> list[tuple[Words, int, int, int]]:
        found = []
        for name, table in tables:
            milder = sum(n for place, n in enumerate(table) if place // 4 > place % 4)
            if changed(table):
                found.append((name, sum(table), changed(table) - milder, milder))
        return found

    areas = rows([(say.place(id), table) for id, table in report.areas.items()])
    places = rows([(say.place(id), table) for id, table in report.checkpoints.items()])
    hours = rows([(Words(f"{hour} giờ", f"{hour:02}h"), table) for hour, table in report.hours.items()])
    for found in (areas, places):
        found.sort(key=lambda row: (-row[2] - row[3], -row[1], row[0]))
    return [("areas", areas), ("checkpoints", places), ("hours", hours)]


routes = [page, begin, stop, progress]
