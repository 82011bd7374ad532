"""Bad policies, each through the editor's door: told what is wrong and where, and nothing written."""

import html
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from motma.core.policy.text import read_policy
from motma.core.policy.writing import document_of, write_yaml
from tests.core.policy_texts import SMALL
from tests.web.editor import draft, look, post, said
from tests.world import World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


def changed(**changes: Any) -> dict[str, Any]:
    """The small policy as JSON, with ``changes`` in its rule."""
    policy = read_policy(SMALL).policy
    assert policy
    document: dict[str, Any] = document_of(policy)
    for name, value in changes.items():
        if value is None:
            document["rules"][0].pop(name)
        else:
            document["rules"][0][name] = value
    return document


def nested(depth: int) -> Any:
    logic: Any = {"var": "declaration.health"}
    for _ in range(depth):
        logic = {"!": [logic]}
    return logic


HEALTH = {"var": "declaration.health"}
DAYS = {"about": "leap day", "evidence": {"declaration": {"at": "2026-02-29T00:00:00Z"}}, "holds": True}
NO_ZONE = {"about": "no zone", "evidence": {"now": "2026-01-18T07:00:00"}, "holds": True}
LONG = {"reduce": [{"var": "measure.by_hand"}, {"var": "current"}, 0]}

BAD: list[tuple[Any, str, str]] = [
    (changed(holds={"xor": [HEALTH, 1]}), "rule.operation", "/rules/0/holds/xor"),
    (changed(holds={"===": [HEALTH]}), "rule.arity", "/rules/0/holds/==="),
    (changed(holds={"===": [HEALTH, "a", "b"]}), "rule.arity", "/rules/0/holds/==="),
    (changed(holds={"+": ["one", 2]}), "rule.operand", "/rules/0/holds/+/0"),
    (changed(holds={"after": ["2021", "2022"]}), "rule.operand", "/rules/0/holds/after/0"),
    (changed(holds={"===": [HEALTH, 1.5]}), "rule.not_integer", "/rules/0/holds/===/1"),
    (changed(holds={"plusTime": ["2021-02-30", 0, "day"]}), "rule.date", "/rules/0/holds/plusTime/0"),
    (changed(holds=nested(65)), "rule.too_deep", "/rules/0/holds" + "/!/0" * 64),
    (changed(holds={"in": [HEALTH, ["x"] * 12_000]}), "rule.too_large", "/rules/0/holds"),
    (changed(affected=["declaration"], holds={"!": [{"var": "declaration.helth"}]}), "policy.field", "/rules/0/holds"),
    (changed(affected=["now"]), "policy.undeclared", "/rules/0/holds"),
    (changed(tests=[*changed()["rules"][0]["tests"], DAYS]), "policy.date", "/rules/0/tests/2/evidence/declaration/at"),
    (changed(tests=[*changed()["rules"][0]["tests"], NO_ZONE]), "policy.date", "/rules/0/tests/2/evidence/now"),
    (changed(tests=None), "policy.no_tests", "/rules/0/tests"),
    (changed(tests=[]), "policy.no_tests", "/rules/0/tests"),
    (changed(tests=changed()["rules"][0]["tests"][:1]), "policy.one_sided", "/rules/0/tests"),
    (changed(words=None), "policy.missing", "/rules/0/words"),
    (changed(words=["Chỉ tiếng Việt.", ""]), "policy.text", "/rules/0/words/1"),
    (changed(verdict="let through"), "policy.verdict", "/rules/0/verdict"),
    (changed(reason="standing.none"), "policy.clash", "/rules/0/reason"),
    (changed(reason="rule.error"), "policy.reason_taken", "/rules/0/reason"),
    ({**changed(), "rules": changed()["rules"] * 2}, "policy.twice", "/rules/1/id"),
    ({**changed(), "rules": []}, "policy.missing", "/rules"),
    ({**changed(), "valid_from": "2026-01-18"}, "policy.date", "/valid_from"),
    ({**changed(), "valid_from": "2026-02-29T00:00:00+07:00"}, "policy.date", "/valid_from"),
    ({**changed(), "valid_to": "2021-01-01T00:00:00Z"}, "policy.dates", "/valid_to"),
    ({**changed(), "version": 0}, "policy.version", "/version"),
    ({**changed(), "id": "Đêm"}, "policy.id", "/id"),
    ({**changed(), "extra": 1}, "policy.name", "/extra"),
    ([], "policy.type", ""),
    ('{"a": ' * 5_000, "policy.deep", ""),
    ("[" + "0," * 25_000 + "0]", "policy.many", ""),
    ("id: no", "policy.word", "/id"),
    ("a: &a [*a]", "policy.yaml_anchor", "/a"),
    ("a: 'x\x00'", "policy.character", ""),
    ("", "policy.text_empty", ""),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "code", "path"), BAD, ids=[f"{code} {path}"[:60] for _, code, path in BAD])
async def test_bad_policies_are_told_what_is_wrong_and_where(world: World, wrong: Any, code: str, path: str) -> None:
    operator = await world.operator()
    texts = [wrong] if isinstance(wrong, str) else [json.dumps(wrong, indent=1, ensure_ascii=False), write_yaml(wrong)]
    if code == "rule.too_large":
        texts = [json.dumps(wrong)]
        assert "policy.text_large" in (await look(operator, texts[0]))[0] or len(texts[0]) < 56 * 1024
        code = "policy.text_large" if len(texts[0]) > 56 * 1024 else code
        path = "" if code == "policy.text_large" else path
    for text in texts:
        before = world.rows()
        shown, lines = await look(operator, text)
        assert f"<code>{html.escape(path or '/')}</code> · <code>{code}</code>" in shown, said(shown)
        assert lines and all(1 <= int(line) <= text.count("\n") + 2 for line in lines)
        answer = await post(operator, text)
        assert answer.status_code == 422 and code in answer.text
        assert world.rows() == before
        checked = await post(operator, text, go="check")
        assert checked.status_code == 200 and code in checked.text


async def test_a_million_items_do_not_get_in(world: World) -> None:
    operator = await world.operator()
    text = "id: x\nrules: [" + "1," * 10**6 + "1]"
    assert (await post(operator, text)).status_code == 413
    assert (await operator.post("/ops/policies/check", files={"text": (None, text)})).status_code == 413


def lets_nobody() -> dict[str, Any]:
    """Only who declared symptoms passes the one rule, and everybody but them the other."""
    symptoms = {"===": [HEALTH, "symptoms"]}
    ill, well = {"declaration": {"health": "symptoms"}}, dict[str, Any]()

    def rule(id: str, holds: Any, passes: Any, stops: Any) -> Any:
        tests = [{"about": "a", "evidence": passes, "holds": True}, {"about": "b", "evidence": stops, "holds": False}]
        return changed(id=id, reason=id, holds=holds, tests=tests)["rules"][0]

    return {**changed(), "rules": [rule("night.a", symptoms, ill, well), rule("night.b", {"!": [symptoms]}, well, ill)]}


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        (lets_nobody(), "policy.lets_nobody", "không ai qua được"),
        (changed(verdict="accept"), "policy.lets_everybody", "ai cũng qua được"),
    ],
)
async def test_who_lets_nobody_or_everybody_through_is_warned(
    world: World, document: Any, code: str, words: str
) -> None:
    one, other = await world.operator("MOT"), await world.operator("HAI")
    shown, lines = await look(one, write_yaml(document))
    assert code in shown and lines == {"1": False} and "Không có lỗi" in said(shown)
    where = await draft(one, write_yaml(document))
    assert words in said((await other.get(where)).text)


async def test_forms_that_no_page_of_ours_sends(world: World) -> None:
    operator = await world.operator()
    for files in (
        {"text": ("x.yaml", SMALL.encode(), "text/plain")},
        {"other": (None, "x")},
    ):
        assert (await operator.post("/ops/policies/new", files=files)).status_code in (200, 422)
    answer = await operator.post("/ops/policies/new", data={"text": SMALL, "go": "check"})
    assert answer.status_code == 200 and "Không có lỗi" in said(answer.text), "urlencoded will do"
    for content, kind in ((b"\xff\xfe", "multipart/form-data; boundary=x"), (b"{}", "application/json"), (b"", "")):
        answer = await operator.post("/ops/policies/check", content=content, headers={"content-type": kind})
        assert answer.status_code < 500
    twice = b"".join(b'--x\r\ncontent-disposition: form-data; name="text"\r\n\r\na\r\n' for _ in range(2)) + b"--x--"
    answer = await operator.post(
        "/ops/policies/check", content=twice, headers={"content-type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code < 500
    evil = SMALL.replace("A curfew to try", "<script>alert(1)</script>").replace("by day", "<img src=x onerror=y>")
    where = await draft(operator, evil)
    for path in (where, "/ops/policies", "/ops/policies/new?of=night"):
        page = (await operator.get(path)).text
        assert "<script>alert" not in page and "<img src=x" not in page
