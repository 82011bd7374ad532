"""The description is a valid one, and it is true: of what is sent, of every status, of every answer."""

import asyncio
import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi import checks as openapi_checks

from motma.connectors.platforms import CONNECTORS
from motma.core.identity import Grade, Match
from motma.services.precheck import PRECHECKS
from motma.services.tries import PLATFORM_AN_HOUR
from tests.keyholder import key_holder
from tests.world import World, living_world

DOORS = {
    ("/v1/checks", "post"),
    ("/v1/repairs", "post"),
    ("/v1/declarations/{declaration}", "get"),
    ("/v1/declarations/{declaration}/sent", "get"),
    ("/v1/declarations/{declaration}/corrections", "post"),
    ("/v1/inbox/{connector}", "post"),
    ("/v1/declarations", "post"),
    ("/v1/prechecks", "post"),
    ("/v1/changes", "get"),
    ("/v1/webhook", "put"),
    ("/v1/webhook", "get"),
    ("/v1/webhook", "delete"),
    ("/v1/webhook/test", "post"),
    ("/v1/webhook/deliveries", "get"),
    ("/v1/webhook/deliveries/{delivery}/retry", "post"),
    ("/v1/health-events", "post"),
    ("/v1/verifications", "post"),
    ("/v1/declarations/{declaration}/code", "get"),
    ("/v1/lists", "post"),
    ("/v1/measure", "get"),
    ("/v1/checkpoints", "get"),
}
_DRAWN = "/v1/declarations/{declaration}/code"
_PICTURED = {"text/plain", "image/png", "image/svg+xml"}
_TOLD = "/v1/webhook"
"""Where a platform is told of changes: a path has several methods there. See tests/web/test_openapi_webhooks.py."""

_CHECKS = [
    schemathesis.checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
]
_NOT_SENT = ("user-agent", "authorization", "cookie")
_bounded = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def running_police(runner: asyncio.Runner, world: World) -> httpx.AsyncClient:
    """The platform whose form is the police's."""
    return runner.run(runner.run(key_holder(world, "POLICE", connector="dicuan")).client())


class Running:
    """A world on a loop of its own, for tests that hypothesis drives."""

    def __init__(self, runner: asyncio.Runner, world: World) -> None:
        self.runner, self.world = runner, world
        self.spec: dict[str, Any] = self.ask(world.browser(), "GET", "/v1/openapi.json").json()
        self.schema = schemathesis.openapi.from_dict(self.spec)
        self.clients = {
            "/v1/checks": runner.run(world.officer_at()),
            "/v1/repairs": runner.run(world.officer_at(officer="CB-03")),
            "/v1/declarations/{declaration}": runner.run(world.platform()),
            "/v1/declarations/{declaration}/sent": runner.run(world.platform()),
            "/v1/declarations/{declaration}/corrections": runner.run(world.platform()),
            "/v1/inbox/{connector}": running_police(runner, world),
            "/v1/declarations": runner.run(world.platform()),
            "/v1/prechecks": runner.run(world.platform()),
            "/v1/changes": runner.run(world.platform()),
            **dict.fromkeys([path for path, _ in DOORS if path.startswith(_TOLD)], runner.run(world.platform())),
            "/v1/health-events": runner.run(world.interlinked("CDC")),
            "/v1/verifications": runner.run(world.platform()),
            "/v1/declarations/{declaration}/code": runner.run(world.platform()),
            "/v1/lists": runner.run(world.interlinked("C06")),
            "/v1/measure": world.browser(),
            "/v1/checkpoints": world.browser(),
        }

    def ask(self, client: httpx.AsyncClient, method: str, path: str, **more: Any) -> httpx.Response:
        return self.runner.run(client.request(method, path, **more))

    def send(self, case: schemathesis.Case, client: httpx.AsyncClient) -> httpx.Response:
        """One generated request, as it is and with what opens the door."""
        ready = case.as_transport_kwargs(base_url="http://motma.test")
        headers = {name: value for name, value in ready["headers"].items() if name.lower() not in _NOT_SENT}
        headers |= {name: client.headers[name] for name in ("authorization",) if name in client.headers}
        content = {name: ready[name] for name in ("json", "data") if ready.get(name) is not None}
        if isinstance(content.get("data"), bytes | str):
            content["content"] = content.pop("data")
        raw = [(name.encode(), str(value).encode("latin-1", "replace")) for name, value in headers.items()]
        return self.ask(client, ready["method"], ready["url"], params=ready.get("params"), headers=raw, **content)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with asyncio.Runner() as runner:
        opened = living_world(Path(tmp_path_factory.mktemp("openapi")))
        yield Running(runner, runner.run(opened.__aenter__()))
        runner.run(opened.__aexit__(None, None, None))


def test_it_is_a_valid_description(running: Running) -> None:
    assert running.spec["openapi"].startswith("3.1")
    running.schema.validate()
    assert {(path, method) for path, item in running.spec["paths"].items() for method in item} == DOORS
    for schema in running.spec["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_it_says_what_is_what(running: Running) -> None:
    for path, item in running.spec["paths"].items():
        for operation in item.values():
            assert operation["summary"] and operation["description"], path
            assert "400" not in operation["responses"], path
            for status, response in operation["responses"].items():
                if status == "204":
                    continue
                kinds = _PICTURED if (path, status) == (_DRAWN, "200") else {"application/json"}
                assert set(response["content"]) == (kinds if status < "300" else {"application/problem+json"}), path
                drawn = {"text/plain", "image/png", "image/svg+xml"} if path.endswith("/code") else {"application/json"}
                assert set(response["content"]) == (drawn if status < "300" else {"application/problem+json"}), path
    for name in ("DeclarationSent", "DocumentSent", "PlaceSent", "TripSent", "HealthSent", "Ask", "RepairAsk"):
        for member, schema in running.spec["components"]["schemas"][name]["properties"].items():
            assert "$ref" in schema or schema["description"], (name, member)


def _example(spec: dict[str, Any], schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return {name: _example(spec, inner) for name, inner in schema["properties"].items()}
    return schema["examples"][0]


def test_its_examples_work_as_they_stand(running: Running) -> None:
    body = _example(running.spec, {"$ref": "#/components/schemas/DeclarationSent"})
    body["trip"]["departs_at"] = (running.world.now + dt.timedelta(hours=1)).isoformat()
    sent = running.ask(
        running.clients["/v1/declarations"], "POST", "/v1/declarations", json=body, headers={"idempotency-key": "k"}
    )
    assert (sent.status_code, sent.json()["outcome"]) == (201, "accepted")
    ask = _example(running.spec, {"$ref": "#/components/schemas/Ask"})
    del ask["qid"]
    assert running.ask(running.clients["/v1/checks"], "POST", "/v1/checks", json=ask).status_code == 200


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [
        (path, method, mode)
        for path, method in sorted(DOORS)
        for mode in GenerationMode
        if method == "put" or mode is GenerationMode.POSITIVE or (method == "post" and not path.startswith(_TOLD))
        # else nothing is sent, so nothing can be wrong
    ],
)
def test_it_is_true(running: Running, path: str, method: str, mode: GenerationMode) -> None:
    operation = running.schema[path][method.upper()]
    before = running.world.rows()
    answered: set[int] = set()

    @given(case=operation.as_strategy(generation_mode=mode))
    @_bounded
    def every(case: schemathesis.Case) -> None:
        if mode is GenerationMode.NEGATIVE and not _wrong_in_what_is_sent(case):
            return  # wrong in a header or a cookie that is put right here
        if mode is GenerationMode.POSITIVE and path == "/v1/checks":
            for name in ("qid", "device_time"):  # as the words beside the schema say: one of two, and not much later
                case.body.pop(name, None)
            case.body["code"] = case.body.get("code") or "x"
        if path == "/v1/changes":
            case.query.pop("wait", None)  # nothing comes
        if mode is GenerationMode.POSITIVE and path == "/v1/verifications":
            case.body.pop("checkpoint", None)  # one of the list, as the words beside the schema say
        answer = running.send(case, running.clients[path])
        answered.add(answer.status_code)
        case.validate_response(answer, checks=_CHECKS)

    every()
    taken = {409} if path == "/v1/checks" else set()  # an id is made up twice, with other papers shown along
    taken |= {403} if path == "/v1/lists" else set()
    assert answered <= {200, 201, 404, 413, 415, 422, 429} | taken
    asked_of_nobody = path in (
        "/v1/lists",  # of a list that no measure names
        "/v1/repairs",
        "/v1/prechecks",
        "/v1/declarations/{declaration}",
        "/v1/declarations/{declaration}/sent",
        "/v1/declarations/{declaration}/code",
        "/v1/webhook",
    )  # what was never scanned, or sent
    answers_all = path in ("/v1/checks", "/v1/verifications")
    is_good = method == "get" or (answers_all and mode is GenerationMode.POSITIVE)
    assert (200 in answered) == (is_good and not asked_of_nobody)
    if path in ("/v1/declarations", "/v1/health-events"):
        assert running.world.rows() == before


def _wrong_in_what_is_sent(case: schemathesis.Case) -> bool:
    components = case.meta.components.items() if case.meta else ()
    places = (ParameterLocation.BODY, ParameterLocation.QUERY, ParameterLocation.PATH)
    return any(place in places and how.mode is GenerationMode.NEGATIVE for place, how in components)


def _refused(running: Running) -> dict[str, Callable[[], httpx.Response]]:
    """A request for every answer that is described, by ``path status``."""
    world, platform, officer = running.world, running.clients["/v1/declarations"], running.clients["/v1/checks"]
    good = world.declaration(world.person(0))
    json = {"content-type": "application/json"}

    def declare(client: httpx.AsyncClient = platform, **more: Any) -> httpx.Response:
        more.setdefault("json", good)
        more.setdefault("headers", {"idempotency-key": "one"})
        return running.ask(client, "POST", "/v1/declarations", **more)

    def check(client: httpx.AsyncClient = officer, **more: Any) -> httpx.Response:
        ask = {"id": "scn_01kf7yejc00000000000000009", "scanned_at": world.now.isoformat(), "code": "x"}
        return running.ask(client, "POST", "/v1/checks", **{"json": ask, **more})

    other = running.runner.run(world.officer_at(officer="CB-02"))
    person = next(one for one in map(world.person, range(10, 60)) if len(one.name.split(" ")) > 2)
    words = person.name.split(" ")
    slipped = running.runner.run(world.declare(person, name=" ".join([words[0], *words[2:]]))).json()

    def scan(code: str, id: str) -> str:
        return str(running.runner.run(world.check(code=code, officer=officer, id=id)).json()["id"])

    scanned = scan(slipped["code"], "scn_01kf7yejc0000000000000007a")
    of_nobody = scan("HELLO", "scn_01kf7yejc0000000000000007b")

    def repair(client: httpx.AsyncClient = officer, scan: str = scanned, **more: Any) -> httpx.Response:
        ask = {"id": f"rep_{scan[4:26]}zzzz", "scan": scan, "reason": "typing"}
        return running.ask(client, "POST", "/v1/repairs", **{"json": {**ask, "name": person.name}, **more})

    def repair_too_often() -> httpx.Response:
        ids = (f"rep_01kf7yejc00000000000000{n:03d}" for n in range(100, 140))
        answers = [repair(other, json={"id": id, "scan": scanned, "reason": "typing"}) for id in ids]
        return answers[-1]

    def declare_too_often() -> httpx.Response:
        flood, tries = running.runner.run(world.platform("FLOOD")), world.built.house.declare._tries
        for _ in range(PLATFORM_AN_HOUR):
            tries.hear("FLOOD", world.now)
            tries.count("FLOOD", Match(Grade.UNKNOWN))
        return declare(flood)

    def became(client: httpx.AsyncClient = platform, id: str = slipped["declaration"]) -> httpx.Response:
        return running.ask(client, "GET", f"/v1/declarations/{id}")

    wrong = running.runner.run(world.declare(world.person(72))).json()

    def correct(id: str = wrong["declaration"], key: str = "two", **more: Any) -> httpx.Response:
        headers = {"idempotency-key": key, **more.pop("headers", {})}
        content = {"json": world.declaration(world.person(72)), **more}
        return running.ask(platform, "POST", f"/v1/declarations/{id}/corrections", headers=headers, **content)

    police = CONNECTORS["dicuan"].to_theirs(world.declaration(world.person(71)))

    def deliver(name: str = "dicuan", **more: Any) -> httpx.Response:
        content = {"content": police, **more, "headers": json | more.get("headers", {})}
        return running.ask(running.clients["/v1/inbox/{connector}"], "POST", f"/v1/inbox/{name}", **content)

    refused = running.runner.run(world.declare(world.person(70), name="Quách Đình Tuệ Lâm Phúc")).json()

    def ahead(client: httpx.AsyncClient = platform, id: str = slipped["declaration"], **more: Any) -> httpx.Response:
        return running.ask(client, "POST", "/v1/prechecks", **{"json": {"declaration": id}, **more})

    def changed(client: httpx.AsyncClient = platform, after: str = "now") -> httpx.Response:
        return running.ask(client, "GET", "/v1/changes", params={"after": after})

    staff = running.clients["/v1/health-events"]

    def report(client: httpx.AsyncClient = staff, **more: Any) -> httpx.Response:
        more.setdefault("json", {"event": "case", "since": "2026-01-18", "reference": "1", "qid": slipped["qid"]})
        more.setdefault("headers", {"idempotency-key": "one"})
        return running.ask(client, "POST", "/v1/health-events", **more)

    def verify(client: httpx.AsyncClient = platform, **more: Any) -> httpx.Response:
        return running.ask(client, "POST", "/v1/verifications", **{"json": {"code": slipped["code"]}, **more})

    def drawn(
        client: httpx.AsyncClient = platform, id: str = slipped["declaration"], query: str = ""
    ) -> httpx.Response:
        return running.ask(client, "GET", f"/v1/declarations/{id}/code{query}")

    centre = running.clients["/v1/lists"]

    def listed(client: httpx.AsyncClient = centre, list: str = "arrivals", **more: Any) -> httpx.Response:
        since, until = (world.now - dt.timedelta(hours=1)).isoformat(), world.now.isoformat()
        ask = {"list": list, "basis": "Văn bản 12/C06, điều 3", "from": since, "until": until}
        return running.ask(client, "POST", "/v1/lists", **{"json": ask, **more})

    return {
        "/v1/changes 200": changed,
        "/v1/changes 401": lambda: changed(world.browser()),
        "/v1/changes 422": lambda: changed(after="x"),
        "/v1/verifications 200": verify,
        "/v1/verifications 413": lambda: verify(json={"code": "x" * 70_000}),
        "/v1/verifications 415": lambda: verify(json=None, content=b"{}", headers={"content-type": "text/plain"}),
        "/v1/verifications 422": lambda: verify(json={"code": "x", "checkpoint": "nowhere"}),
        "/v1/declarations/{declaration}/code 200": drawn,
        "/v1/declarations/{declaration}/code 404": lambda: drawn(id="dcl_01kf7yejc0k13emra4srge0byv"),
        "/v1/declarations/{declaration}/code 409": lambda: drawn(id=refused["declaration"]),
        "/v1/declarations/{declaration}/code 422": lambda: drawn(query="?format=bmp"),
        "/v1/health-events 201": report,
        "/v1/health-events 200": report,
        "/v1/health-events 409": lambda: report(
            json={"event": "contact", "since": "2026-01-18", "reference": "1", "qid": slipped["qid"]}
        ),
        "/v1/health-events 413": lambda: report(
            json=None, content=b" " * 70_000, headers={"idempotency-key": "x", **json}
        ),
        "/v1/health-events 415": lambda: report(json=None, data={"a": "b"}),
        "/v1/health-events 422": lambda: report(json={}, headers={"idempotency-key": "two"}),
        "/v1/lists 200": listed,
        "/v1/lists 413": lambda: listed(json=None, content=b" " * 70_000, headers=json),
        "/v1/lists 415": lambda: listed(json=None, content=b"{}", headers={"content-type": "text/plain"}),
        "/v1/lists 422": lambda: listed(json={}),
        "/v1/prechecks 200": ahead,
        "/v1/prechecks 403": lambda: ahead(headers={"origin": "http://evil.test"}),
        "/v1/prechecks 404": lambda: ahead(id="dcl_01kf7yejc0k13emra4srge0byv"),
        "/v1/prechecks 409": lambda: ahead(id=refused["declaration"]),
        "/v1/prechecks 413": lambda: ahead(json=None, content=b" " * 70_000, headers=json),
        "/v1/prechecks 415": lambda: ahead(json=None, content=b"{}", headers={"content-type": "text/plain"}),
        "/v1/prechecks 422": lambda: ahead(json={}),
        "/v1/prechecks 429": lambda: [ahead() for _ in range(PRECHECKS + 1)][-1],
        "/v1/declarations 201": declare,
        "/v1/declarations 200": declare,
        "/v1/declarations 403": lambda: declare(headers={"idempotency-key": "one", "origin": "http://evil.test"}),
        "/v1/declarations 409": lambda: declare(json={**good, "phone": "0912345678"}),
        "/v1/declarations 413": lambda: declare(json={**good, "name": "x" * 70_000}),
        "/v1/declarations 415": lambda: declare(json=None, data={"a": "b"}),
        "/v1/declarations 422": lambda: declare(json={}),
        "/v1/declarations 429": declare_too_often,
        "/v1/declarations/{declaration} 200": became,
        "/v1/declarations/{declaration} 404": lambda: became(id="dcl_01kf7yejc0k13emra4srge0byv"),
        "/v1/inbox/{connector} 201": deliver,
        "/v1/inbox/{connector} 200": deliver,
        "/v1/inbox/{connector} 404": lambda: deliver("nobody"),
        "/v1/inbox/{connector} 409": lambda: _without_measure(
            running, lambda: deliver(headers={"idempotency-key": "x"})
        ),
        "/v1/inbox/{connector} 413": lambda: deliver(content=b" " * 1_100_000),
        "/v1/inbox/{connector} 415": lambda: deliver(headers={"content-type": "text/plain"}),
        "/v1/inbox/{connector} 422": lambda: deliver(content=b"{}"),
        "/v1/declarations/{declaration}/sent 200": lambda: became(id=f"{slipped['declaration']}/sent"),
        "/v1/declarations/{declaration}/sent 404": lambda: became(id="dcl_01kf7yejc0k13emra4srge0byv/sent"),
        "/v1/declarations/{declaration}/corrections 201": correct,
        "/v1/declarations/{declaration}/corrections 200": correct,
        "/v1/declarations/{declaration}/corrections 403": lambda: correct(headers={"origin": "http://evil.test"}),
        "/v1/declarations/{declaration}/corrections 404": lambda: correct("x"),
        "/v1/declarations/{declaration}/corrections 409": lambda: correct(key="three"),
        "/v1/declarations/{declaration}/corrections 413": lambda: correct(json={"name": "x" * 70_000}),
        "/v1/declarations/{declaration}/corrections 415": lambda: correct(json=None, data={"a": "b"}),
        "/v1/declarations/{declaration}/corrections 422": lambda: correct(json={}),
        "/v1/repairs 404": lambda: repair(scan="scn_01kf7yejc00000000000000042"),
        "/v1/repairs 409": lambda: repair(scan=of_nobody),
        "/v1/repairs 200": repair,
        "/v1/repairs 401": lambda: repair(world.browser()),
        "/v1/repairs 403": lambda: repair(headers={"sec-fetch-site": "cross-site"}),
        "/v1/repairs 413": lambda: repair(json=None, content=b" " * 70_000, headers=json),
        "/v1/repairs 415": lambda: repair(json=None, content=b"{}", headers={"content-type": "text/plain"}),
        "/v1/repairs 422": lambda: repair(json={}),
        "/v1/repairs 429": repair_too_often,
        "/v1/checks 200": check,
        "/v1/checks 401": lambda: check(world.browser()),
        "/v1/checks 403": lambda: check(headers={"sec-fetch-site": "cross-site"}),
        "/v1/checks 409": lambda: check(other),
        "/v1/checks 413": lambda: check(json=None, content=b" " * 70_000, headers=json),
        "/v1/checks 415": lambda: check(json=None, content=b"{}", headers={"content-type": "text/plain"}),
        "/v1/checks 422": lambda: check(json={}),
        "/v1/measure 200": lambda: running.ask(world.browser(), "GET", "/v1/measure"),
        "/v1/checkpoints 200": lambda: running.ask(world.browser(), "GET", "/v1/checkpoints"),
    }


def _without_measure(running: Running, ask: Callable[[], httpx.Response]) -> httpx.Response:
    """What is answered on a day on which nothing is asked of anybody."""
    world, steer = running.world, running.world.built.house.steer
    running.runner.run(steer.end_measure("demo-hcmc", by="test", now=world.now))
    answer = ask()
    running.runner.run(world.publish())
    return answer


def _turned_away(running: Running) -> dict[str, Callable[[], httpx.Response]]:
    """401, 403 (without the scope) and 429 (a quota used up) of each route of the platforms' door that says so."""
    world, holder = running.world, running.runner.run(key_holder(running.world, "MANY-SCOPES"))
    clients = {scope: running.runner.run(holder.client(scope)) for scope in ("prechecks", "declarations:read")}
    spent = running.runner.run(running.runner.run(key_holder(world, "SPENT", per_day=1)).client())
    running.ask(spent, "GET", "/v1/declarations/x")

    def ask(client: httpx.AsyncClient, method: str, path: str) -> Callable[[], httpx.Response]:
        return lambda: running.ask(client, method.upper(), re.sub(r"\{[^}]+\}", "x", path))

    return {
        f"{path} {status}": ask(client, method, path)
        for path, item in running.spec["paths"].items()
        for method, operation in item.items()
        if {"platform": []} in operation.get("security", ()) and not path.startswith(_TOLD)
        for status, client in (
            ("401", world.browser()),
            ("403", clients["declarations:read" if path == "/v1/prechecks" else "prechecks"]),
            ("429", spent),
        )
        if status in operation["responses"]
    }


def test_every_status_that_is_described_is_answered_so(running: Running) -> None:
    """But 503: that needs a database that is away (``tests/storage`` takes it away)."""
    described = {
        f"{path} {status}"
        for path, item in running.spec["paths"].items()
        for operation in item.values()
        for status in operation["responses"]
        if status != "503" and not path.startswith(_TOLD)
    }
    asked = _refused(running)
    asked |= {about: ask for about, ask in _turned_away(running).items() if about not in asked}
    assert described == set(asked)
    for about, ask in asked.items():
        path, _, status = about.partition(" ")
        answer = ask()
        assert answer.status_code == int(status), (about, answer.text)
        method = next(iter(running.spec["paths"][path]))
        running.schema[path][method.upper()].validate_response(answer)
