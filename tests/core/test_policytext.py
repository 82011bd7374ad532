"""A policy as text: what YAML means here, where a mistake is, and that what is written is read back."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motma.core.policy.text import MAX_BYTES, WORDS, read_policy, read_text
from motma.core.policy.writing import document_of, write_yaml
from motma.core.rules.problems import below
from motma.policies import SHIPPED, load_policy
from tests.core.policy_texts import SMALL

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Co", "Cn")), max_size=20)
    | st.sampled_from(["no", "Yes", "y", "010", "1_000", "0x1F", "1e3", "2021-08-22", "12:30", "<<", "=", "~", "", "-"])
    | st.sampled_from(
        ["a: b", "# c", "- d", "{e", "f]", "&g", "*h", "!i", "|", ">", "%", "@", "`", " k ", "l\nm", "\t"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcno<y012 :#", max_size=6), inner, max_size=4)
    ),
    max_leaves=20,
)


def value_of(text: str) -> Any:
    value, faults, _ = read_text(text)
    assert not faults, faults
    return value


def told(text: str) -> list[tuple[str, str, int]]:
    value, faults, _ = read_text(text)
    assert value is None
    return [(fault.code, fault.path, fault.line) for fault in faults]


@given(st.dictionaries(st.text("abc.-_", max_size=5), JSON, max_size=4) | st.lists(JSON, max_size=4))
def test_what_is_written_is_read_back(document: Any) -> None:
    assert value_of(write_yaml(document)) == document
    text = json.dumps(document, ensure_ascii=False, indent=1)
    assert value_of(text) == document and value_of(json.dumps(document)) == document


@pytest.mark.parametrize("name", SHIPPED)
def test_every_policy_that_ships_can_be_shown_as_yaml_and_read_again(name: str) -> None:
    policy = load_policy(name)
    document = document_of(policy)
    text = write_yaml(document)
    assert value_of(text) == document
    assert read_policy(text).policy == policy and max(map(len, text.split("\n"))) < 160


def test_a_policy_is_written_as_people_read_it() -> None:
    """What rules read comes before them, a verdict before its tests; long logic has a line for each part."""
    text = write_yaml(document_of(load_policy("permits")))
    order = [line.split(":")[0] for line in text.split("\n") if line[:1].isalpha()]
    assert order == ["id", "version", "title", "valid_from", "values", "rules"]
    rule = text[text.index("- id: permits.group_travels") : text.index("- id: permits.issued")]
    names = [
        line.split(":")[0].strip(" -") for line in rule.split("\n") if line[:2] in ("  ", "- ") and line[2].isalpha()
    ]
    assert names == ["id", "affected", "holds", "verdict", "reason", "words", "cure", "tests"]
    assert "  exempt: {if: [{var: vehicle.green_lane}, true, {var: values.fully_vaccinated}]}\n" in text
    assert "  serves_now:\n    and:\n    - {var: permit.group}\n    - {'!': [{var: permit.revoked}]}\n" in text
    logic = [line for line in text.split("\n") if "var: " in line]
    assert max(map(len, logic)) <= 112


def test_lines_of_everything() -> None:
    text = "# a remark\nid: x\nrules:\n  - id: a.b\n    holds:\n      {var: [1,\n        2]}\n"
    text += "  - c: |\n      long\n      text\n"
    value, faults, lines = read_text(text)
    assert not faults
    assert value == {"id": "x", "rules": [{"id": "a.b", "holds": {"var": [1, 2]}}, {"c": "long\ntext\n"}]}
    assert lines == {
        **{"": 2, "/id": 2, "/rules": 3, "/rules/0": 4, "/rules/0/id": 4, "/rules/0/holds": 5},
        **{"/rules/0/holds/var": 6, "/rules/0/holds/var/0": 6, "/rules/0/holds/var/1": 7},
        **{"/rules/1": 8, "/rules/1/c": 8},
    }
    _, _, lines = read_text('{\n "a~/b": [\n  1,\n  {"c": 2}\n ]\n}')
    assert lines == {"": 1, "/a~0~1b": 3 - 1, "/a~0~1b/0": 3, "/a~0~1b/1": 4, "/a~0~1b/1/c": 4}


@given(JSON)
def test_json_has_the_same_value_and_lines_as_the_standard_says(document: Any) -> None:
    text = json.dumps([document], indent=1)
    _, _, lines = read_text(text)
    rows = text.split("\n")

    def walk(value: Any, path: str) -> None:
        if isinstance(value, list | dict):
            items = enumerate(value) if isinstance(value, list) else value.items()
            for name, item in items:
                walk(item, below(path, name))
        else:
            assert json.dumps(value) in rows[lines[path] - 1]

    walk([document], "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: true\nb: false\nc: null\nd: ~\ne:", {"a": True, "b": False, "c": None, "d": None, "e": None}),
        ("a: 0\nb: -7\nc: 1.5\nd: 1e3\ne: -0.25", {"a": 0, "b": -7, "c": 1.5, "d": 1000.0, "e": -0.25}),
        ("a: 2021-08-22T00:00:00+07:00\nb: 2021-08-22\nc: 22:30", None),
        ("a: \"no\"\nb: '010'\nc: !-ok", None),
        ("on: 1\nno: 2\n12: 3\ntrue: 4", {"on": 1, "no": 2, "12": 3, "true": 4}),
        ("a: norway\nb: yesterday\nc: 1.2.3\nd: 79-A1", {"a": "norway", "b": "yesterday", "c": "1.2.3", "d": "79-A1"}),
        ("\ufeffa: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("---\na: 1\n", {"a": 1}),
        ("plain", "plain"),
    ],
)
def test_yaml_means_one_thing(text: str, value: Any) -> None:
    if text.startswith("a: 2021"):
        value = {"a": "2021-08-22T00:00:00+07:00", "b": "2021-08-22", "c": "22:30"}
    elif "!-ok" in text:
        assert told(text)[0][0] == "policy.yaml_tag"
        text, value = text.partition("\nc:")[0], {"a": "no", "b": "010"}
    got = value_of(text)
    assert got == value and repr(got) == repr(value)


@pytest.mark.parametrize(
    "word", ["no", "No", "NO", "yes", "on", "off", "Off", "y", "N", "True", "FALSE", "Null", ".inf", "-.INF", ".nan"]
)
def test_words_that_yaml_takes_for_truths(word: str) -> None:
    assert told(f"x: 1\na: {word}") == [("policy.word", "/a", 2)]
    assert told(f"- [{word}]") == [("policy.word", "/0/0", 1)]
    assert value_of(f'a: "{word}"') == {"a": word}


@pytest.mark.parametrize(
    "number", ["010", "-07", "0x1F", "0o17", "0b11", "1_000", "+1", ".5", "5.", "1e999", "1" * 400, "0.0_1"]
)
def test_numbers_that_are_not_those_of_json(number: str) -> None:
    assert told(f"a: {number}") == [("policy.number", "/a", 1)]
    assert value_of(f"a: '{number}'") == {"a": number}


@pytest.mark.parametrize(
    ("text", "code", "path", "line"),
    [
        ("", "policy.text_empty", "", 1),
        (" \n\t\n", "policy.text_empty", "", 1),
        ("a: &x 1\nb: *x", "policy.yaml_anchor", "/a", 1),
        ("a: 1\nb: *x", "policy.yaml_anchor", "/b", 2),
        ("a: 1\n<<: {b: 2}", "policy.yaml_anchor", "", 2),
        ("a:\n  - !!binary aGk=", "policy.yaml_tag", "/a/0", 2),
        ("a: !!python/object/apply:os.system [id]", "policy.yaml_tag", "/a", 1),
        ("%TAG ! tag:x,2000:\n---\na: 1", "policy.yaml_tag", "", 1),
        ("a: 1\nb: 2\na: 3", "policy.key_twice", "/a", 3),
        ("a: {b: 1,\n b: 2}", "policy.key_twice", "/a/b", 2),
        ("? [a]\n: 1", "policy.key", "", 1),
        ("? \n: 1", "policy.key", "", 1),
        ("a: 1\n---\nb: 2", "policy.yaml_second", "", 2),
        ("a:\n\tb: 1", "policy.yaml_tab", "", 2),
        ("a: b: c", "policy.yaml", "", 1),
        ("a: [1,\nb: 2", "policy.yaml", "", 2),
        ("a: 'x\n\n", "policy.yaml", "", 3),
        ("a: 1\n\x00", "policy.character", "", 2),
        ("a: x\u202ey", "policy.character", "", 1),
        ('a: "x\\u202Ey"', "policy.character", "/a", 1),
        ('"\\0": 1', "policy.character", "/\x00", 1),
        ('{"a": "\\ud800"}', "policy.character", "/a", 1),
        ('{"a": 1,\n "a": 2}', "policy.key_twice", "/a", 2),
        ('{"a": 1,\n}', "policy.json", "", 2),
        ('{"a": [1,\n]}', "policy.json", "/a", 2),
        ('{"a" 1}', "policy.json", "/a", 1),
        ('{"a": 1}\n{}', "policy.json", "", 2),
        ('{"a": 01}', "policy.json", "/a", 1),
        ('{"a": NaN}', "policy.json", "/a", 1),
        ('{"a": "x\ny"}', "policy.json", "/a", 1),
        ("{a: 1}", "policy.json", "", 1),
        ("[1, 2", "policy.json", "", 1),
        ('{"a":' * 500, "policy.deep", "", 1),
        ("[" * 30_000, "policy.deep", "", 1),
        ("a: " + "[" * 30_000, "policy.deep", "", 1),
        ("- " * 20_000, "policy.deep", "", 1),
        ("- [1,2,3,4,5,6,7,8,9]\n" * 2_050, "policy.many", "", 2_000),
        ("x" * (MAX_BYTES + 1), "policy.text_large", "", 1),
        ("[" + "1," * 10**6 + "1]", "policy.text_large", "", 1),
    ],
)
def test_what_is_wrong_and_where(text: str, code: str, path: str, line: int) -> None:
    began = time.monotonic()
    found = told(text)
    assert time.monotonic() - began < 5, "nothing that fits may keep a server busy"
    assert found[0] == (code, path, line)


@pytest.mark.parametrize(
    "text",
    [
        '{"' + "k" * 27_000 + '": [' + ",".join("0" * 14_000) + "]}",
        "? " + "k" * 27_000 + "\n: [" + ",".join("0" * 14_000) + "]",
        ('{"' + "k" * 140 + '":') * 190 + "[" + ",".join("0" * 12_000) + "]" + "}" * 190,
    ],
)
def test_names_are_not_kept_with_each_of_their_values(text: str) -> None:
    """Their pointers together would take 400 MB."""
    assert [(one.code, one.stops) for one in read_policy(text).findings] == [("policy.names_long", True)]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert [code for code, _, _ in told("a: no\nb: 010\na: 1\nc: Off")] == [
        "policy.word",
        "policy.number",
        "policy.key_twice",
        "policy.word",
    ]
    assert len(read_policy("a: no\n" * 300).findings) == 100


def test_findings_of_a_policy_have_lines() -> None:
    written = read_policy(SMALL.replace("verdict: reject", "verdict: refuse"))
    assert written.policy is None
    [finding] = written.findings
    line = next(n for n, row in enumerate(SMALL.split("\n"), 1) if "verdict: reject" in row)
    assert (finding.code, finding.path, finding.line, finding.stops) == (
        "policy.verdict",
        "/rules/0/verdict",
        line,
        True,
    )
    good = read_policy(SMALL)
    assert good.policy and good.policy.id == "night" and good.findings == ()
    missing = read_policy(SMALL.replace("    reason: night.curfew\n", ""))
    [finding] = missing.findings
    assert finding.path == "/rules/0/reason" and "- id: night.curfew" in SMALL.split("\n")[finding.line - 1]


def test_every_code_has_words_in_both_languages() -> None:
    assert all(words.vi and words.en and words.vi != words.en for words in WORDS.values())


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_no_text_makes_it_raise(text: str) -> None:
    written = read_policy(text)
    assert written.policy is None or written.findings == ()
    rows = max(len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")), 1)
    assert all(1 <= finding.line <= rows + 1 for finding in written.findings)
