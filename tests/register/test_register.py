"""The register as it runs: its four questions, who may ask them, and how it fails on demand."""

import json
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from motma.connectors.registry import Registry
from motma.register.answers import ATTRIBUTES, MALFORMED, NO_ORDER, TOO_BROAD, UNKNOWN_ATTRIBUTE
from motma.register.faults import Faults
from motma.register.population import Person, Population
from motma.register.program import serve
from motma.register.tokens import SCOPES, Tokens
from tests.register.asking import Client, basic
from tests.register.running import SEED, SIZE, Running, register, start

PEOPLE = Population(SEED, SIZE)
NEAR = [PEOPLE.person(index) for index in range(6_000)]
NOBODY = "999199999999"


def somebody(like: Callable[[Person], object]) -> Person:
    return next(person for person in NEAR if like(person))


CITIZEN = somebody(
    lambda person: len(person.documents) == 3 and " Đ" in person.name and len(PEOPLE.holders(person.documents[1])) == 1
)
FOREIGNER = somebody(lambda person: person.nationality != "VN")
CHILD = somebody(lambda person: person.guardian)
OLD = somebody(lambda person: person.year_only)


@pytest.fixture(scope="module")
def running() -> Running:
    return register()


@pytest.fixture(scope="module")
def client(running: Running) -> Iterator[Client]:
    running.clear()
    client = Client(running)
    yield client
    running.clear()
    client.close()


# ---- read, match, verify


def test_it_reads_what_is_asked_for_and_no_more(client: Client) -> None:
    old, passport = CITIZEN.documents[1:]
    answer = client.read(CITIZEN.uin, *ATTRIBUTES)
    assert answer.status_code == 200 and answer.json() == {
        "fullName": CITIZEN.name,
        "dateOfBirth": CITIZEN.birth_date.isoformat(),
        "sex": CITIZEN.sex,
        "oldNumber": old.number,
        "passportNumber": passport.number,
        "passportCountry": "VN",
    }
    assert client.read(CITIZEN.uin, "sex").json() == {"sex": CITIZEN.sex}
    assert client.read(CHILD.uin, "guardian", "oldNumber").json() == {"guardian": CHILD.guardian}
    assert client.read(OLD.uin, "dateOfBirth").json() == {"dateOfBirth": str(OLD.birth_date.year)}
    foreigner = client.read(FOREIGNER.uin, "fullName", "passportCountry", "oldNumber").json()
    assert foreigner == {"fullName": FOREIGNER.name, "passportCountry": FOREIGNER.nationality}


def test_an_unknown_attribute_is_an_error_in_the_answer(client: Client) -> None:
    answer = client.read(CITIZEN.uin, "sex", "shoeSize").json()
    assert answer == {"sex": CITIZEN.sex, "shoeSize": {"code": 1023, "message": "Unknown attribute name"}}


@pytest.mark.parametrize(
    "uin", [NOBODY, "", "1", "NN-", "NN-99900000000", "x" * 300, "a/b", "..", "%", "é", "999199999999 ", "٩٩٩"]
)
def test_nobody_is_nobody(client: Client, uin: str) -> None:
    assert client.read(uin, "sex").status_code == 404
    assert client.match(uin, {"fullName": "X"}).status_code in (404, 405)
    assert client.verify(uin, ("fullName", "=", "X")).status_code in (404, 405)


def test_matching_says_what_differs_and_nothing_else(client: Client) -> None:
    right = {"fullName": CITIZEN.name, "dateOfBirth": CITIZEN.birth_date.isoformat(), "sex": CITIZEN.sex}
    assert client.match(CITIZEN.uin, right).json() == []
    assert client.match(CITIZEN.uin, {}).json() == []
    wrong = client.match(CITIZEN.uin, right | {"fullName": "Khác", "sex": 1, "shoeSize": "43", "guardian": "x"})
    assert sorted((one["attributeName"], one["errorCode"]) for one in wrong.json()) == [
        ("fullName", 1),
        ("guardian", 0),  # this person has none
        ("sex", 1),
        ("shoeSize", 0),
    ]


def test_matching_is_exact_but_for_the_unicode_form(client: Client) -> None:
    name = CITIZEN.name
    for spelling, fits in (
        (unicodedata.normalize("NFD", name), True),
        (name.upper(), False),
        (name + " ", False),
        (name.replace("Đ", "Ð"), False),
        (name.replace("Đ", "D"), False),
    ):
        assert (client.match(CITIZEN.uin, {"fullName": spelling}).json() == []) is fits, spelling


def test_of_a_year_without_a_day_the_year_is_compared(client: Client) -> None:
    year = OLD.birth_date.year
    for said, fits in (
        (f"{year}-07-23", True),
        (f"{year}-01-01", True),
        (str(year), True),
        (f"{year + 1}-01-01", False),
        (f"{year}1-01-01", False),
        (str(year - 1), False),
        ("", False),
    ):
        assert (client.match(OLD.uin, {"dateOfBirth": said}).json() == []) is fits, said
        assert client.verify(OLD.uin, ("dateOfBirth", "=", said)).json() is (said[:4] == str(year))
    # Who has a day is not matched by the year alone.
    assert client.match(CITIZEN.uin, {"dateOfBirth": str(CITIZEN.birth_date.year)}).json() != []


def test_expressions_are_all_true_or_the_answer_is_false(client: Client) -> None:
    born = CITIZEN.birth_date.isoformat()
    true = [("dateOfBirth", "=", born), ("dateOfBirth", "<=", born), ("dateOfBirth", ">=", born)]
    true += [("dateOfBirth", "<", "2020-01-01"), ("dateOfBirth", ">", "1900-01-01"), ("sex", "=", CITIZEN.sex)]
    assert client.verify(CITIZEN.uin, *true).json() is True
    assert client.verify(CITIZEN.uin).json() is True
    for false in (
        ("dateOfBirth", "<", born),
        ("dateOfBirth", ">", born),
        ("sex", "=", "other"),
        ("sex", "=", True),
        ("guardian", "=", NOBODY),
    ):
        assert client.verify(CITIZEN.uin, *true, false).json() is False, false


def test_names_and_numbers_have_no_order_to_guess_them_by(client: Client) -> None:
    for attribute in ("fullName", "oldNumber", "passportNumber"):
        assert client.verify(CITIZEN.uin, (attribute, ">", "M")).json()["code"] == 1003
    assert client.verify(CITIZEN.uin, ("shoeSize", "=", "M")).json()["code"] == 1023


# ---- find


def test_people_are_found_by_what_is_indexed(client: Client) -> None:
    old, passport = CITIZEN.documents[1:]
    assert client.find(oldNumber=old.number).json() == [CITIZEN.uin]
    assert client.find(passportNumber=passport.number, passportCountry="VN").json() == [CITIZEN.uin]
    assert CITIZEN.uin in client.find(passportNumber=passport.number).json()
    assert client.find(passportNumber=passport.number, passportCountry="KR").status_code == 404
    abroad = FOREIGNER.documents[0]
    found = client.find(passportNumber=abroad.number, passportCountry=FOREIGNER.nationality).json()
    assert found == [FOREIGNER.uin]
    assert client.find(oldNumber=old.number, fullName="Khác").status_code == 404
    assert client.find(oldNumber=old.number, names="fullName").json() == [{"fullName": CITIZEN.name}]


def test_children_are_found_by_their_guardian(client: Client) -> None:
    by_guardian = Counter(person.guardian for person in NEAR if person.guardian)
    guardian, count = by_guardian.most_common(1)[0]
    children = [person for person in NEAR if person.guardian == guardian]
    assert len(children) == count >= 3
    assert client.find(guardian=guardian).json() == sorted(child.uin for child in children)
    born = children[0].birth_date
    same_day = sorted(child.uin for child in children if child.birth_date == born)
    assert client.find(guardian=guardian, dateOfBirth=born.isoformat()).json() == same_day
    assert client.find(guardian=NOBODY).status_code == 404
    assert client.find(guardian=CHILD.uin).status_code == 404


def test_an_old_number_that_two_bear_finds_two_and_can_be_read_in_parts(client: Client) -> None:
    bearers: dict[str, list[str]] = {}
    for person in NEAR:
        for document in person.documents:
            if document.kind == "cmnd":
                bearers.setdefault(document.number, []).append(person.uin)
    number, uins = next((number, uins) for number, uins in bearers.items() if len(uins) == 2)
    assert client.find(oldNumber=number).json() == sorted(uins)
    assert client.find(oldNumber=number, limit=1).json() == sorted(uins)[:1]
    assert client.find(oldNumber=number, limit=1, offset=1).json() == sorted(uins)[1:]
    assert client.find(oldNumber=number, offset=2).status_code == 404
    assert client.find(oldNumber=number, limit=0).status_code == 404


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 1001),
        ("names=fullName", 1001),
        ("fullName=X", 1002),
        ("dateOfBirth=1990-01-01&sex=male", 1002),
        ("shoeSize=43", 1023),
        ("oldNumber=1&oldNumber=2", 1001),
        ("oldNumber=1&limit=-1", 1001),
        ("oldNumber=1&limit=ten", 1001),
        ("oldNumber=1&limit=1&limit=2", 1001),
        ("oldNumber=1&offset=99999999999999999999", 1001),
        ("oldNumber=%ff", 1001),
        ("&".join(f"a{n}=1" for n in range(200)), 1001),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(client: Client, query: str, code: int) -> None:
    answer = client.ask("GET", f"/v1/persons?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"a": null}', b'{"a": [1]}', b'{"a": "\xff"}', b"nul", b'{"a": 1e999}', b"[" * 9000]
)
def test_a_body_that_is_no_question(client: Client, body: bytes) -> None:
    answer = client.ask("POST", f"/v1/persons/{CITIZEN.uin}/match", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, 1001)
    if body != b"[]":  # no expressions are a question
        assert client.ask("POST", f"/v1/persons/{CITIZEN.uin}/verify", content=body).status_code == 400


def test_a_body_that_is_too_large(client: Client) -> None:
    content = b'{"fullName": "' + b"x" * 70_000 + b'"}'
    assert client.ask("POST", f"/v1/persons/{CITIZEN.uin}/match", content=content).status_code == 413


def test_it_keeps_no_documents_and_says_so(client: Client) -> None:
    path = f"/v1/persons/{CITIZEN.uin}/document"
    assert client.ask("GET", path, params={"doctype": "birth", "format": "pdf"}).status_code == 415
    assert client.ask("GET", path, params={"doctype": "birth", "format": "exe"}).status_code == 400
    assert client.ask("GET", path).status_code == 400
    gone = client.ask("GET", f"/v1/persons/{NOBODY}/document", params={"doctype": "birth", "format": "pdf"})
    assert gone.status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/personsX", "/v1/persons/1/2/3", "/v1/persons/1/delete", "/v2/persons"]
)
def test_there_are_no_other_doors(client: Client, path: str) -> None:
    assert client.ask("GET", path).status_code == 404


def test_each_door_has_one_method(client: Client) -> None:
    for method, path, right in (
        ("POST", "/v1/persons", "GET"),
        ("DELETE", f"/v1/persons/{CITIZEN.uin}", "GET"),
        ("GET", f"/v1/persons/{CITIZEN.uin}/match", "POST"),
        ("GET", "/oauth2/token", "POST"),
    ):
        answer = client.ask(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, right)


# ---- who may ask


QUESTIONS = [
    ("GET", "/v1/persons?oldNumber=1", "pr.person.read"),
    ("GET", f"/v1/persons/{CITIZEN.uin}?attributeNames=sex", "pr.person.read"),
    ("POST", f"/v1/persons/{CITIZEN.uin}/match", "pr.person.match"),
    ("POST", f"/v1/persons/{CITIZEN.uin}/verify", "pr.person.verify"),
    ("GET", f"/v1/persons/{CITIZEN.uin}/document?doctype=a&format=pdf", "pr.document.read"),
]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer nonsense", "Basic eDp5", "Bearer \xff"])
def test_without_a_token_there_is_no_answer(client: Client, header: str | None) -> None:
    for method, path, _ in QUESTIONS:
        sent = [(b"authorization", header.encode("latin-1"))] if header is not None else []
        answer = client.http.request(method, path, headers=sent)
        assert (answer.status_code, answer.content) == (401, b"")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_opens_what_its_scope_says(running: Running) -> None:
    for scope in SCOPES:
        narrow = Client(running, scope)
        for method, path, needed in QUESTIONS:
            answer = narrow.ask(method, path)
            assert (answer.status_code == 403) is (needed != scope), (scope, path)
            assert answer.status_code != 401
            if answer.status_code == 403:
                assert answer.content == b"" and "insufficient_scope" in answer.headers["www-authenticate"]
        narrow.close()


def test_the_token_endpoint_follows_its_standard(running: Running, client: Client) -> None:
    right = basic(running.client_id, running.client_secret)
    given = client.token(right)
    assert given.headers["cache-control"] == "no-store"
    assert given.json() == {
        "access_token": given.json()["access_token"],
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": " ".join(sorted(SCOPES)),
    }
    in_form = client.token(client_id=running.client_id, client_secret=running.client_secret, scope="pr.person.read")
    assert in_form.status_code == 200 and in_form.json()["scope"] == "pr.person.read"
    for status, error, answer in (
        (401, "invalid_client", client.token()),
        (401, "invalid_client", client.token(basic(running.client_id, "guess"))),
        (401, "invalid_client", client.token(basic("guess", running.client_secret))),
        (401, "invalid_client", client.token("Basic !!!")),
        (401, "invalid_client", client.token("Basic eA==")),
        (401, "invalid_client", client.token("Bearer x")),
        (401, "invalid_client", client.token(client_id="é", client_secret="ü")),
        (400, "invalid_request", client.token(right, client_secret=running.client_secret)),
        (400, "invalid_request", client.token(right, grant_type=None)),
        (400, "unsupported_grant_type", client.token(right, grant_type="password")),
        (400, "invalid_scope", client.token(right, scope="pr.person.read everything")),
        (400, "invalid_request", client.http.post("/oauth2/token", content=b"a=1&a=2")),
        (400, "invalid_request", client.http.post("/oauth2/token", content=b"a=%ff")),
    ):
        assert (answer.status_code, answer.json()) == (status, {"error": error})
        assert ("www-authenticate" in answer.headers) is (status == 401)


def test_a_token_ends_by_the_clock_and_old_ones_are_forgotten() -> None:
    now = [0.0]
    serial = iter(range(10**6))
    tokens = Tokens(
        {"a": "b"}, lifetime_seconds=300, clock=lambda: now[0], random=lambda size: next(serial).to_bytes(size, "big")
    )
    form = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
    token, _ = tokens.grant(form, None)
    header = f"Bearer {token}"
    now[0] = 299.9
    assert tokens.allowed(header) == frozenset(SCOPES) and tokens.allowed(header.replace("Bearer", "bearer"))
    now[0] = 300
    assert tokens.allowed(header) is None
    for _ in range(30_000):
        tokens.grant(form, None)
    assert len(tokens._grants) <= 10_000
    tokens.revoke_all()
    assert tokens._grants == {}


# ---- faults


def test_it_fails_on_demand(running: Running, client: Client) -> None:
    assert running.fault(outage=True)["outage"] is True
    assert client.read(CITIZEN.uin, "sex").status_code == 503 and client.token().status_code == 503
    running.fault(error_rate=0.5)
    statuses = Counter(client.read(CITIZEN.uin, "sex").status_code for _ in range(100))
    assert set(statuses) == {200, 500} and 20 < statuses[500] < 80
    running.fault(latency_ms=300)
    began = time.monotonic()
    assert client.read(CITIZEN.uin, "sex").status_code == 200
    assert time.monotonic() - began > 0.29
    running.fault(revoke_tokens=True)
    assert client.read(CITIZEN.uin, "sex").status_code == 401
    renewed = Client(running)
    renewed.close()
    client.headers = renewed.headers
    running.fault(hang=True)
    with pytest.raises(httpx.ReadTimeout):
        client.ask("GET", f"/v1/persons/{CITIZEN.uin}?attributeNames=sex", timeout=0.3)
    running.clear()
    assert client.read(CITIZEN.uin, "sex").status_code == 200
    assert client.http.get("/faults").json() == {
        "latency_ms": 0, "error_rate": 0, "outage": False, "wrong_rate": 0, "hang": False, "revoke_tokens": False
    }  # fmt: skip


def test_a_wrong_answer_is_well_formed_and_about_somebody_else(running: Running, client: Client) -> None:
    running.fault(wrong_rate=1)
    try:
        name = client.read(CITIZEN.uin, "fullName").json()["fullName"]
        assert name == PEOPLE.person(CITIZEN.index + 1).name != CITIZEN.name
        assert client.match(CITIZEN.uin, {"fullName": CITIZEN.name}).json() != []
        assert client.match(NOBODY, {"fullName": CITIZEN.name}).status_code == 200
        assert client.find(oldNumber=CITIZEN.documents[1].number).json() != [CITIZEN.uin]
    finally:
        running.clear()


@pytest.mark.parametrize("faults", [{"latency": 1}, {"error_rate": 2}, {"outage": "yes"}, [1]])
def test_a_fault_that_there_is_not(client: Client, faults: Any) -> None:
    assert client.http.put("/faults", json=faults).status_code == 400
    assert client.http.post("/faults").status_code == 405


def test_without_being_asked_for_there_is_no_door_to_faults() -> None:
    running = start(faults=False)
    try:
        client = Client(running)
        assert client.http.get("/faults").status_code == 404
        assert client.http.put("/faults", json={"outage": True}).status_code == 404
        assert client.read(CITIZEN.uin, "sex").status_code == 200
        client.close()
    finally:
        running.end()
    assert running.process.poll() is not None


# ---- what is written about it


def test_the_page_about_it_tells_all_that_there_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "register.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| ")]
    named = {word for row in rows for word in re.findall(r"[\w.]+", row)}
    assert set(ATTRIBUTES) <= named
    assert {field.name for field in msgspec.structs.fields(Faults)} <= named
    assert {str(code) for code in (MALFORMED, TOO_BROAD, NO_ORDER, UNKNOWN_ATTRIBUTE)} <= named
    assert {name for name in vars(Registry) if not name.startswith("_")} <= named
    options = {option for parameter in serve.params for option in parameter.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", page)) <= options
    assert all(scope in page for scope in SCOPES if scope != "pr.document.read")


def test_the_person_on_the_page_is_in_the_register(client: Client) -> None:
    page = (Path(__file__).parents[2] / "docs" / "register.md").read_text("utf-8")
    said, uin = re.search(r"-d '(\{.*?\})' \S+/v1/persons/([0-9]+)/match", page).groups()  # type: ignore[union-attr]
    assert client.match(uin, json.loads(said)).json() == []
