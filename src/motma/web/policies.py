"""The operators' pages about policies: what is in force, one in words, writing one, approving it, taking it back.

Everything works without a script; with one, the editor asks the same validator while somebody writes.
"""

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from motma.core.errors import Conflict, Hidden, Invalid, MotmaError
from motma.core.measure import active_measure
from motma.core.policy import Policy
from motma.core.policy.diff import Change, difference, verdict_in_words
from motma.core.policy.enacted import Step
from motma.core.policy.text import Finding, Written, read_policy
from motma.core.policy.trials import tried
from motma.core.policy.writing import document_of, write_yaml
from motma.core.rules.spoken import in_words
from motma.core.words import Words
from motma.policies import DEFAULT, SHIPPED
from motma.services.enrol import Operator
from motma.services.policies import Policies, Refused, shipped
from motma.web.access import house_of, require_operator
from motma.web.evidencewords import FIELD_WORDS, readable_fields
from motma.web.pages import render, render_text
from motma.web.policytexts import LOCAL, OPERATIONS, next_text, text_to_begin_with, unchanged
from motma.web.problems import status_of

_ENDED_SHOWN = 20

_Request = Request[Any, Any, Any]
_Form = URLEncodedBody[dict[str, str]]
_Maybe = NamedDependency[Operator | None]
_LOGIN = "/ops/login"


class Row(msgspec.Struct, frozen=True):
    """A policy that decides now: as it ships, or by which step. Of one that ships and is off: what waits of it."""

    id: str
    policy: Policy | None
    step: Step | None


# -- looking -----------------------------------------------------------------------------------------------------------


@get("/ops/policies", include_in_schema=False)
async def index(request: _Request, operator: _Maybe) -> Response[bytes] | Redirect:
    """What is in force, what waits, what is off."""
    if operator is None:
        return Redirect(_LOGIN, status_code=303)
    return await _index(request, operator)


@get("/ops/policies/of/{name:str}", include_in_schema=False)
async def one(request: _Request, operator: _Maybe, name: FromPath[str]) -> Response[bytes] | Redirect:
    """One policy as readers see it, and everything that happened to it."""
    if operator is None:
        return Redirect(_LOGIN, status_code=303)
    return await _one(request, operator, name)


@get("/ops/policies/{draft:str}", include_in_schema=False)
async def step_page(request: _Request, operator: _Maybe, draft: FromPath[str]) -> Response[bytes] | Redirect:
    """One version: what it changes, its rules and tests; and what can be done about it."""
    if operator is None:
        return Redirect(_LOGIN, status_code=303)
    return await _step(request, operator, draft)


# -- writing -----------------------------------------------------------------------------------------------------------


@get("/ops/policies/new", include_in_schema=False)
async def edit(request: _Request, operator: _Maybe) -> Response[bytes] | Redirect:
    """The editor: empty, with what there is of a policy (``?of=``), or with a version there once was (``?from=``)."""
    if operator is None:
        return Redirect(_LOGIN, status_code=303)
    house = house_of(request)
    now = house.clock()
    enacted = await house.policies.enacted(now)
    name = request.query_params.get("of", "")
    if again := request.query_params.get("from", ""):
        step = await house.policies.find(again, now)
        name, text = step.policy, next_text(step.text, enacted, step.policy)
    else:
        text = await text_to_begin_with(house.policies, enacted, name, now)
    waiting = enacted.draft_of(name) if name else None
    over = waiting.draft if waiting else ""
    as_it_ships = unchanged(text, ships := shipped(name))
    return await _editor(request, operator, text, over=over, ships=ships if as_it_ships else None)


@post("/ops/policies/new", status_code=200, include_in_schema=False)
async def save(request: _Request) -> Response[bytes] | Redirect:
    """Check what was written, or keep it as a draft."""
    operator, house = await require_operator(request), house_of(request)
    form = await request.form()
    text, over = _posted(form, "text"), _posted(form, "over")
    if form.get("go") != "save":
        return await _editor(request, operator, text, over=over, checked=True)
    try:
        step = await house.policies.draft(text, over=over, by=operator.name, now=house.clock())
    except Refused as refused:
        return await _editor(request, operator, text, over=over, findings=refused.findings, status=422)
    except Conflict as late:
        return await _editor(request, operator, text, over=over, error=late, checked=True)
    return Redirect(f"/ops/policies/{step.draft}", status_code=303)


@post("/ops/policies/check", status_code=200, include_in_schema=False)
async def check(request: _Request) -> Response[bytes]:
    """The same for the page's script: what to show, and which lines are concerned."""
    await require_operator(request)
    shown = await _looked_at(request, _posted(await request.form(), "text"))
    html = render_text(request, "ops/policies/_findings.html", **shown)
    lines = {str(finding.line): finding.stops for finding in reversed(shown["findings"])}
    body = msgspec.json.encode({"html": html, "lines": lines})
    return Response(body, media_type="application/json", headers={"cache-control": "no-store"})


@post("/ops/policies/of/{name:str}/off", include_in_schema=False)
async def off(request: _Request, data: _Form, name: FromPath[str]) -> Response[bytes] | Redirect:
    """Propose that a policy be switched off."""
    operator, house = await require_operator(request), house_of(request)
    try:
        step = await house.policies.draft_off(name, over=data.get("over", ""), by=operator.name, now=house.clock())
    except Conflict as error:
        return await _one(request, operator, name, error)
    return Redirect(f"/ops/policies/{step.draft}", status_code=303)


# -- deciding ----------------------------------------------------------------------------------------------------------


@post("/ops/policies/{draft:str}/approve", include_in_schema=False)
async def approve(request: _Request, data: _Form, draft: FromPath[str]) -> Response[bytes] | Redirect:
    """Put a draft in force, now or at a time."""
    operator, house = await require_operator(request), house_of(request)
    try:
        await house.policies.approve(draft, _begins(data), by=operator.name, now=house.clock())
    except (Conflict, Invalid) as error:
        return await _step(request, operator, draft, error, chosen=data.get("begins", ""))
    return Redirect(f"/ops/policies/{draft}", status_code=303)


@post("/ops/policies/{draft:str}/schedule", include_in_schema=False)
async def schedule(request: _Request, data: _Form, draft: FromPath[str]) -> Response[bytes] | Redirect:
    """Let it begin at another time."""
    operator, house = await require_operator(request), house_of(request)
    try:
        await house.policies.schedule(draft, _begins(data), by=operator.name, now=house.clock())
    except (Conflict, Invalid) as error:
        return await _step(request, operator, draft, error, chosen=data.get("begins", ""))
    return Redirect(f"/ops/policies/{draft}", status_code=303)


@post("/ops/policies/{draft:str}/withdraw", include_in_schema=False)
async def withdraw(request: _Request, draft: FromPath[str]) -> Response[bytes] | Redirect:
    """Let nothing come of it."""
    operator, house = await require_operator(request), house_of(request)
    try:
        await house.policies.withdraw(draft, by=operator.name, now=house.clock())
    except Conflict as error:
        return await _step(request, operator, draft, error)
    return Redirect("/ops/policies", status_code=303)


@get("/ops/policies/{draft:str}/roll-back", include_in_schema=False)
async def confirm(request: _Request, operator: _Maybe, draft: FromPath[str]) -> Response[bytes] | Redirect:
    """What will be in force again, before it is."""
    if operator is None:
        return Redirect(_LOGIN, status_code=303)
    house = house_of(request)
    now = house.clock()
    step = await house.policies.find(draft, now)
    back_to = await house.policies.beneath(step, now)
    changes = difference(house.policies.policy_of(step), back_to)
    return render(
        request, "ops/policies/rollback.html", operator=operator.name, step=step, back_to=back_to,
        changes=_by_rule(changes), title=_title(house.policies, step),
        in_force=(await house.policies.enacted(now)).current(step.policy, now) == step,
    )  # fmt: skip


@post("/ops/policies/{draft:str}/roll-back", include_in_schema=False)
async def roll_back(request: _Request, draft: FromPath[str]) -> Response[bytes] | Redirect:
    """Take it back."""
    operator, house = await require_operator(request), house_of(request)
    try:
        step = await house.policies.roll_back(draft, by=operator.name, now=house.clock())
    except Conflict as error:
        return await _step(request, operator, draft, error)
    return Redirect(f"/ops/policies/of/{quote(step.policy)}", status_code=303)


# -- the pages ---------------------------------------------------------------------------------------------------------


async def _index(request: _Request, operator: Operator) -> Response[bytes]:
    house = house_of(request)
    policies, now = house.policies, house.clock()
    enacted = await policies.enacted(now)
    measure = active_measure((await house.steer.board(now)).measures.values(), now)
    base = await _base(request)
    rows = [
        Row(name, policies.policy_of(step) if step else shipped(name), step)
        for name, step in policies.in_force(enacted, base, now)
    ]
    here = {row.id for row in rows}
    named = dict.fromkeys(step.policy for step in enacted.steps.values())
    off = [(name, enacted.current(name, now)) for name in named if name not in here]
    drafts = [step for step in enacted.steps.values() if step.is_open]
    coming = {step.policy: step for step in (*enacted.waiting(now), *drafts)}
    unused = [
        Row(name, shipped(name), coming.get(name))
        for name in SHIPPED
        if name not in here and enacted.current(name, now) is None
    ]
    ended = sorted(
        (step for step in enacted.steps.values() if step.ended and step.ended != "replaced"),
        key=lambda step: step.ended_at or now,
        reverse=True,
    )
    return render(
        request,
        "ops/policies/index.html",
        operator=operator.name,
        rows=rows,
        measure=measure,
        off=[(name, step) for name, step in off if step is not None],
        unused=unused,
        drafts=drafts,
        waiting=enacted.waiting(now),
        ended=ended[:_ENDED_SHOWN],
        titles={step.draft: _title(policies, step) for step in enacted.steps.values()},
    )


async def _base(request: _Request) -> tuple[str, ...]:
    """What the measure in force names; without one, the next one; of none, what decides unless others are named."""
    house = house_of(request)
    now = house.clock()
    measure = active_measure((await house.steer.board(now)).measures.values(), now)
    return (measure.policies if measure else (await house.policies.bases(now))[0]) or DEFAULT


async def _one(request: _Request, operator: Operator, name: str, error: MotmaError | None = None) -> Response[bytes]:
    house = house_of(request)
    policies, now = house.policies, house.clock()
    enacted = await policies.enacted(now)
    steps, step = enacted.of(name), enacted.current(name, now)
    policy = policies.policy_of(step) if step else shipped(name)
    if not steps and policy is None:
        raise Hidden("policy.unknown", Words("Không có chính sách này.", "There is no such policy."))
    based = name in await _base(request)
    waiting = enacted.draft_of(name)
    return render(
        request,
        "ops/policies/one.html",
        status_code=status_of(error)[0] if error else 200,
        operator=operator.name,
        error=error.words if error else None,
        name=name,
        title=policy.title if policy else _title(policies, ([one for one in steps if not one.is_off] or steps)[-1]),
        policy=policy,
        step=step,
        is_on=(not step.is_off) if step else based,
        unused=step is None and not based and policy is not None,
        waiting=waiting,
        steps=steps[::-1],
        titles={one.draft: _title(policies, one) for one in steps},
        **_rules(policy),
        text=(step.text if step and step.text else write_yaml(document_of(policy))) if policy else "",
    )


async def _step(
    request: _Request, operator: Operator, draft: str, error: MotmaError | None = None, *, chosen: str = ""
) -> Response[bytes]:
    house = house_of(request)
    policies, now = house.policies, house.clock()
    step = await policies.find(draft, now)
    enacted = await policies.enacted(now)
    policy = policies.policy_of(step)
    names = await house.enrol.person(operator.name)
    written = await asyncio.to_thread(read_policy, step.text) if step.text else None
    return render(
        request,
        "ops/policies/step.html",
        status_code=status_of(error)[0] if error else 200,
        operator=operator.name,
        error=error.words if error else None,
        step=step,
        policy=policy,
        title=_title(policies, step),
        changes=_by_rule(difference(await policies.beneath(step, now), policy)),
        in_force=enacted.current(step.policy, now) == step,
        begun=step.has_begun(now),
        own=bool(names.intersection(step.authors)),
        warnings=[one for one in written.findings if not one.stops] if written else [],
        chosen=chosen,
        **_rules(policy),
    )


async def _editor(
    request: _Request,
    operator: Operator,
    text: str,
    *,
    over: str,
    ships: Policy | None = None,
    checked: bool = False,
    findings: tuple[Finding, ...] | None = None,
    error: MotmaError | None = None,
    status: int = 200,
) -> Response[bytes]:
    shown: dict[str, Any] = {"findings": (), "policy": None, "changes": {}, "trials": 0, "looked": False}
    if findings is not None:
        shown |= {"findings": findings, "looked": True}
    elif checked:
        shown = await _looked_at(request, text)
    house = house_of(request)
    enacted = await house.policies.enacted(house.clock())
    theirs = enacted.draft_of(shown["policy"].id) if error and shown["policy"] else None
    return render(
        request,
        "ops/policies/edit.html",
        status_code=status_of(error)[0] if error else status,
        operator=operator.name,
        text=text,
        over=over,
        ships=ships,
        error=error.words if error else None,
        theirs=theirs,
        fields=readable_fields(),
        operations=OPERATIONS,
        **shown,
    )


async def _looked_at(request: _Request, text: str) -> dict[str, Any]:
    """What the validator says of a text, and what it would change."""
    house = house_of(request)
    now = house.clock()
    written: Written = await asyncio.to_thread(read_policy, text)
    findings = list(written.findings)
    changes: list[Change] = []
    if written.policy:
        findings += await house.policies.objections(written, now)
        changes = difference(await house.policies.now_of(written.policy.id, now), written.policy)
    trials = sum(len(rule.tests) for rule in written.policy.rules) if written.policy else 0
    return {
        "findings": tuple(findings),
        "policy": written.policy,
        "changes": _by_rule(changes),
        "trials": trials,
        "looked": True,
    }


def _rules(policy: Policy | None) -> dict[str, Any]:
    """A policy as readers see it: (name, what it stands for) of its values, (rule, its verdict, its logic, its tests
    run) of its rules."""
    rules = (
        [(rule, verdict_in_words(rule), in_words(rule.holds), tests) for rule, tests in tried(policy)] if policy else []
    )
    values = [(name, in_words(value)) for name, value in policy.values.items()] if policy else []
    return {"rules": rules, "values": values, "called": FIELD_WORDS}


def _by_rule(changes: list[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.rule, []).append(change)
    return found


def _title(policies: Policies, step: Step) -> Words:
    policy = policies.policy_of(step) or shipped(step.policy)
    return policy.title if policy else Words(step.policy, step.policy)


# -- texts and times ---------------------------------------------------------------------------------------------------


def _posted(form: Mapping[str, Any], name: str) -> str:
    """A field of a form (sent as multipart, or Vietnamese would take three times its room). Lines come with CR LF."""
    value = form.get(name, "")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _begins(data: dict[str, str]) -> dt.datetime | None:
    """The time that was chosen, as the clock on the wall says it; None for at once."""
    raw = data.get("begins", "").strip()
    if not raw:
        return None
    try:
        return dt.datetime.strptime(raw, "%Y-%m-%dT%H:%M").replace(tzinfo=LOCAL).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            "policy.begins_unread",
            Words("Không đọc được giờ bắt đầu. Chọn ngày và giờ.", "The time cannot be read. Choose a day and a time."),
        ) from None


routes = [
    index, one, step_page, edit, save, check, off,
    approve, schedule, withdraw, confirm, roll_back,
]  # fmt: skip
