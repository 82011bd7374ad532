"""The running register against the standard's own description: what it answers to good questions and to bad ones.

Any request at all is answered as ``dataaccess.yaml`` has it: a status that is listed, a body of its schema and none
where it has none, and never a 5xx that no fault asked for.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema_rs
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from motma.register.answers import ATTRIBUTES
from motma.register.population import Population
from tests.register.asking import Client
from tests.register.running import SEED, SIZE, register

STANDARD = Path(__file__).parents[2].parent / "shared" / "testdata" / "osia" / "dataaccess.yaml"
if not STANDARD.exists():
    pytest.skip("the standard's description is not here", allow_module_level=True)

SPEC: dict[str, Any] = yaml.safe_load(STANDARD.read_text("utf-8"))
PEOPLE = Population(SEED, SIZE)
NOBODY = "999199999999"
# Not of this description: RFC 9110 has them for any server.
_OF_HTTP = {405, 413}
_bounded = settings(
    max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
OPERATIONS = [
    ("/v1/persons", "get"),
    ("/v1/persons/{uin}", "get"),
    ("/v1/persons/{uin}/match", "post"),
    ("/v1/persons/{uin}/verify", "post"),
    ("/v1/persons/{uin}/document", "get"),
]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    running = register()
    running.clear()
    client = Client(running)
    yield client
    client.close()


def conforms(answer: httpx.Response, path: str, method: str) -> None:
    """Fail unless ``answer`` is one of those that the description lists for this operation."""
    if answer.status_code in _OF_HTTP:
        return
    responses = {str(status): response for status, response in SPEC["paths"][path][method]["responses"].items()}
    assert str(answer.status_code) in responses, f"{answer.status_code} is not listed: {answer.text}"
    assert answer.status_code < 500, answer.text
    content = responses[str(answer.status_code)].get("content")
    if content is None:
        assert answer.content == b""
        return
    assert answer.headers["content-type"] == "application/json"
    schema = {**content["application/json"]["schema"], "components": SPEC["components"]}
    jsonschema_rs.Draft4Validator(schema).validate(answer.json())


def test_every_operation_of_the_standard_is_asked_here() -> None:
    assert SPEC["info"]["version"] == "1.3.0"
    assert [(path, method) for path, item in SPEC["paths"].items() for method in item] == OPERATIONS


def test_the_check_sees_what_does_not_conform() -> None:
    for status, body in ((200, [1]), (200, [{"attributeName": "x", "errorCode": 2}]), (400, {"code": "x"}), (418, {})):
        with pytest.raises((AssertionError, jsonschema_rs.ValidationError)):
            conforms(httpx.Response(status, json=body), "/v1/persons/{uin}/match", "post")


def test_people_of_every_kind_are_answered_as_the_standard_has_it(client: Client) -> None:
    for index in range(0, 3_000, 37):
        person = PEOPLE.person(index)
        read = client.read(person.uin, *ATTRIBUTES, "shoeSize")
        assert read.status_code == 200
        conforms(read, "/v1/persons/{uin}", "get")
        held = {name: value for name, value in read.json().items() if isinstance(value, str)}
        matched = client.match(person.uin, held)
        conforms(matched, "/v1/persons/{uin}/match", "post")
        assert matched.json() == []
        differs = client.match(person.uin, dict.fromkeys([*ATTRIBUTES, "shoeSize"], 1.5))
        conforms(differs, "/v1/persons/{uin}/match", "post")
        assert {one["attributeName"] for one in differs.json()} == {*ATTRIBUTES, "shoeSize"}
        verified = client.verify(person.uin, *[(name, "=", value) for name, value in held.items()])
        conforms(verified, "/v1/persons/{uin}/verify", "post")
        assert verified.json() is (len(held.get("dateOfBirth", "")) > 0)
        for name in ("oldNumber", "passportNumber", "guardian"):
            if name in held:
                for names in ([], ["fullName", "shoeSize"]):
                    found = client.find(**{name: held[name], "dateOfBirth": held["dateOfBirth"], "names": names})
                    conforms(found, "/v1/persons", "get")
                    assert found.status_code == 200
                    assert names or person.uin in found.json()


def test_nobody_and_no_right_are_answered_as_the_standard_has_it(client: Client) -> None:
    for path, method in OPERATIONS:
        asked = path.replace("{uin}", NOBODY)
        more = {"attributeNames": "sex", "oldNumber": NOBODY, "doctype": "birth", "format": "pdf"}
        body = {"content": b"[]" if "verify" in path else b"{}"} if method == "post" else {}
        conforms(client.ask(method.upper(), asked, params=more, **body), path, method)
        for headers in ({}, {"authorization": "Bearer x"}):
            answer = client.http.request(method.upper(), asked, headers=headers)
            assert answer.status_code == 401
            conforms(answer, path, method)
    narrow = Client(register(), "pr.document.read")
    for path, method in OPERATIONS[:4]:
        answer = narrow.ask(method.upper(), path.replace("{uin}", NOBODY))
        assert answer.status_code == 403
        conforms(answer, path, method)
    narrow.close()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_whatever_is_sent_the_answer_conforms(client: Client, path: str, method: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_dict(SPEC)[path][method.upper()]
    answered: list[int] = []

    @_bounded
    @given(case=operation.as_strategy(generation_mode=mode))
    def sent(case: schemathesis.Case) -> None:
        ready = case.as_transport_kwargs(base_url=str(client.http.base_url))
        content = {"json": ready["json"]} if ready.get("json") is not None else {}
        if isinstance(ready.get("data"), bytes | str):
            content["content"] = ready["data"]
        headers = [(b"authorization", client.headers["authorization"].encode())]
        try:
            request = client.http.build_request(
                ready["method"], ready["url"], params=ready.get("params"), headers=headers, **content
            )
        except (httpx.InvalidURL, ValueError, TypeError, UnicodeError):
            return  # what cannot be sent
        if request.url.path.count("/") == path.count("/") and request.method == method.upper():
            answer = client.http.send(request)
            conforms(answer, path, method)
            answered.append(answer.status_code)
        else:  # the generated number was a path of its own
            assert client.http.send(request).status_code < 500

    sent()
    assert len(answered) > 5, "hardly anything could be sent"


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD"]),
    uin=st.one_of(st.text(max_size=40), st.just(PEOPLE.person(0).uin), st.just("NN-99900001")),
    what=st.sampled_from(["", "/match", "/verify", "/document", "/x"]),
    query=st.binary(max_size=80),
    body=st.one_of(st.binary(max_size=200), st.sampled_from([b"[]", b"{}", b'{"fullName":"\xf0"}', b'[{"a":1}]'])),
)
@settings(max_examples=150)
def test_no_bytes_make_it_fail(client: Client, method: str, uin: str, what: str, query: bytes, body: bytes) -> None:
    path = f"/v1/persons/{quote(uin, safe='', errors='replace')}{what}?{quote(query, safe='&=%+')}"
    answer = client.ask(method, path, content=body)
    assert answer.status_code < 500, (method, path, body)


def test_it_still_answers_after_all_that(client: Client) -> None:
    person = PEOPLE.person(0)
    assert client.match(person.uin, {"fullName": person.name}).json() == []
    assert client.ask("GET", f"/v1/persons/{person.uin}?attributeNames=sex").json() == {"sex": person.sex}
