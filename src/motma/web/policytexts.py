"""What the editor of policies begins with: what waits, what is in force, what ships, or a blank."""

import datetime as dt
from zoneinfo import ZoneInfo

from motma.core.policy import Policy
from motma.core.policy.enacted import Enacted
from motma.core.policy.writing import document_of, write_yaml
from motma.core.rules.form import ARITY
from motma.services.policies import Policies, shipped

OPERATIONS = ("var", *ARITY)
"""What logic can be made of."""

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")

_BLANK = """\
# Mỗi luật cần lời nói hai thứ tiếng và bài thử.
# Every rule needs its words in both languages, and tests.
id: ten-chinh-sach
version: 1
title: ["Tên tiếng Việt", "Name in English"]
valid_from: {now}
rules:
  - id: ten_luat.mot
    affected: [declaration.health]
    holds: {{"!": [{{"===": [{{var: declaration.health}}, contact]}}]}}
    verdict: manual
    reason: ten_luat.mot
    words: ["Nói điều gì không ổn.", "Say what is wrong."]
    cure: ["Nói phải làm gì.", "Say what to do."]
    tests:
      - about: nobody was met
        evidence: {{}}
        holds: true
      - about: somebody was met
        evidence: {{declaration: {{health: contact}}}}
        holds: false
"""


async def text_to_begin_with(policies: Policies, enacted: Enacted, name: str, now: dt.datetime) -> str:
    """The draft that waits, else the next version of what is in force, else what ships as it ships, else the next of
    what there last was, else a blank."""
    waiting = enacted.draft_of(name) if name else None
    if waiting and waiting.text:
        return waiting.text
    step = enacted.current(name, now) if name else None
    if step and step.text:
        return next_text(step.text, enacted, name)
    ships = shipped(name)
    if ships is None:
        if was := [step.text for step in enacted.of(name) if step.text]:
            return next_text(was[-1], enacted, name)
        return _BLANK.format(now=now.astimezone(LOCAL).replace(microsecond=0).isoformat())
    text = write_yaml(document_of(ships))
    on = await policies.now_of(name, now) is not None
    return next_text(text, enacted, name) if on or not enacted.may_be_next(ships, ships) else text


def next_text(text: str, enacted: Enacted, name: str) -> str:
    """``text`` with the next free version where it says its own, if it says it as people do."""
    lines = text.split("\n")
    for place, line in enumerate(lines):
        if line.startswith("version:"):
            lines[place] = f"version: {enacted.next_version(name, shipped(name))}"
            return "\n".join(lines)
    return text


def unchanged(text: str, ships: Policy | None) -> bool:
    """Whether ``text`` is just what ``ships``, as the editor lays it out."""
    return ships is not None and text == write_yaml(document_of(ships))
