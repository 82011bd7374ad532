"""The doctor looks at everything, and says of everything what to do."""

import datetime as dt
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from motma.config import Settings, read_settings
from motma.connectors.platforms import dhis2
from motma.core.errors import Invalid
from motma.doctor import Finding, examine
from motma.measures import load_demo_measure
from motma.wiring import build, utc_now
from tests.core.ministry import KEY, certificate
from tests.register.running import Running, register


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("MOTMA_DATA", str(tmp_path / "deep" / "data"))
    monkeypatch.setenv("MOTMA_PORT", "0")
    return read_settings()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A register, which the settings name."""
    running = register()
    monkeypatch.setenv("MOTMA_REGISTER_URL", running.url)
    monkeypatch.setenv("MOTMA_REGISTER_CLIENT", running.client_id)
    monkeypatch.setenv("MOTMA_REGISTER_SECRET", running.client_secret)
    yield running
    running.clear()


async def found() -> dict[str, Finding]:
    findings = await examine()
    assert all(finding.message for finding in findings)
    assert all(finding.hint for finding in findings if finding.level != "ok")
    return {finding.id: finding for finding in findings}


async def test_a_new_machine_lacks_everything_but_errors() -> None:
    findings = await found()
    assert {finding.level for finding in findings.values()} == {"ok", "warning"}
    warned = {id for id, finding in findings.items() if finding.level == "warning"} - {"data.room"}
    admitted = {"admitted.operator", "admitted.officer", "admitted.device"}
    assert warned == {"measure.none_active", "keys.unlock_beside", "register.none", *admitted}
    assert findings["secrets.file"].message == "Newly made."
    assert "motma admit officer" in findings["admitted.officer"].hint


async def test_a_house_in_order(settings: Settings, asked: Running) -> None:
    now = utc_now()
    async with build(settings) as built:
        enrol = built.house.enrol
        await built.house.steer.publish_measure(load_demo_measure(now), by="test", now=now)
        await enrol.appoint_operator("TRUC-BAN", now)
        await enrol.appoint_officer("CB-01", "Trực", now)
        await enrol.enrol_device(await enrol.invite_device("g07-vinh-binh", "Máy", now), now)
    findings = await found()
    assert {id for id, finding in findings.items() if finding.level != "ok"} <= {"data.room", "keys.unlock_beside"}
    assert "signs" in findings["keys.code"].message and "signs" in findings["keys.root"].message


async def test_a_register_that_answers(asked: Running) -> None:
    finding = (await found())["register.answers"]
    assert finding.level == "ok" and asked.url.removeprefix("http://") in finding.message


async def test_a_register_that_knows_us_not(asked: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTMA_REGISTER_SECRET", "geheim")
    finding = (await found())["register.unavailable"]
    assert finding.level == "error" and "MOTMA_REGISTER_CLIENT" in finding.hint
    assert "geheim" not in finding.message + finding.hint
    monkeypatch.setenv("MOTMA_REGISTER_SECRET", asked.client_secret)
    monkeypatch.setenv("MOTMA_REGISTER_URL", asked.url + "/elsewhere")
    assert (await found())["register.unavailable"].level == "error"


async def test_a_register_that_is_away(asked: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    asked.fault(outage=True)
    assert (await found())["register.unavailable"].level == "error"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        monkeypatch.setenv("MOTMA_REGISTER_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        finding = (await found())["register.unreachable"]
    assert finding.level == "error" and "pending" in finding.hint


async def test_a_register_that_knows_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has every number there."""

    async def answer(request: web.Request) -> web.Response:
        token = {"access_token": "t", "token_type": "Bearer", "expires_in": 60}
        return web.json_response(token if request.path == "/oauth2/token" else [])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        monkeypatch.setenv("MOTMA_REGISTER_URL", str(server.make_url("/")))
        assert (await found())["register.wrong"].level == "error"


async def test_a_register_over_the_open_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTMA_REGISTER_URL", "http://nowhere.invalid/osia")
    findings = await found()
    assert findings["register.plain"].level == "warning" and "https" in findings["register.plain"].hint
    assert findings["register.unreachable"].level == "error"


async def test_keys_from_the_future(settings: Settings) -> None:
    async with build(settings) as built:
        await built.house.trust.rotate(utc_now() + dt.timedelta(days=365), use="root")
        finding = (await found())["clock.ahead_of_keys"]
        assert finding.level == "error" and finding.hint.endswith("motma key rotate --use root")
        await built.house.trust.rotate(utc_now(), use="root")
    assert "clock.ahead_of_keys" not in await found()


async def test_a_folder_others_can_read(settings: Settings) -> None:
    settings.data.mkdir(parents=True)
    settings.data.chmod(0o755)
    finding = (await found())["data.mode"]
    assert finding.level == "error" and "chmod 700" in finding.hint


async def test_secrets_others_can_read(settings: Settings) -> None:
    await found()
    (settings.data / "secrets.json").chmod(0o644)
    assert (await found())["secrets.exposed"].level == "error"


async def test_an_unlock_key_beside_what_it_opens(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "MOTMA_UNLOCK" in (await found())["keys.unlock_beside"].hint
    elsewhere = settings.data.parent / "elsewhere.key"
    (settings.data / "unlock.key").rename(elsewhere)
    finding = (await found())["secrets.unlock_missing"]
    assert finding.level == "error" and not (settings.data / "unlock.key").exists()
    monkeypatch.setenv("MOTMA_UNLOCK", str(elsewhere))
    assert (await found())["keys.unlock"].level == "ok"
    elsewhere.chmod(0o644)
    assert (await found())["secrets.exposed"].level == "error"
    elsewhere.unlink()
    elsewhere.write_bytes(b"x" * 32)
    elsewhere.chmod(0o600)
    assert (await found())["secrets.locked"].level == "error"


async def test_private_keys_that_are_exposed_damaged_or_gone(settings: Settings) -> None:
    async with build(settings) as built:
        key = (await built.board.trust(utc_now())).signing("code")
    assert key
    pem = settings.data / "keys" / f"{key.added.kid}.pem"
    pem.chmod(0o644)
    assert (await found())["secrets.exposed"].level == "error"
    pem.chmod(0o600)
    whole = pem.read_bytes()
    pem.write_bytes(whole[:-80])
    assert (await found())["key.damaged"].level == "error"
    pem.unlink()
    assert (await found())["key.absent"].level == "error"
    pem.write_bytes(whole)
    pem.chmod(0o600)
    assert (await found())["keys.code"].level == "ok"


async def test_secrets_of_another_database(settings: Settings) -> None:
    await found()
    (settings.data / "secrets.json").unlink()
    assert (await found())["storage.other_key"].level == "error"


async def test_a_file_in_the_place_of_the_folder(settings: Settings) -> None:
    settings.data.parent.mkdir()
    settings.data.touch(mode=0o600)
    assert (await found())["secrets.unreachable"].level == "error"


async def test_settings_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTMA_DATABASE_URL", "mysql://x")
    assert {id: finding.level for id, finding in (await found()).items()} == {"config.database_url": "error"}


async def test_a_name_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTMA_PROT", "80")
    assert "MOTMA_PROT" in (await found())["config.unknown"].message


async def test_where_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTMA_HOST", "0.0.0.0")
    findings = await found()
    assert (findings["config.host"].level, findings["port.free"].level) == ("warning", "ok")
    monkeypatch.setenv("MOTMA_HOST", "nowhere.invalid")
    assert any(finding.id == "config.host" and finding.level == "error" for finding in await examine())


async def test_what_lets_platforms_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTMA_CLIENT_CERT_HEADER", "Client-Cert")
    monkeypatch.setenv("MOTMA_SANDBOX", "1")
    monkeypatch.setenv("MOTMA_WEBHOOKS_PRIVATE", "1")
    found = {one.id: one for one in await examine()}
    assert "remove that header" in found["config.client_cert_header"].hint
    assert found["config.client_cert_header"].level == "warning" and found["config.sandbox"].level == "ok"
    assert found["config.webhooks_private"].level == "warning"


async def test_a_dhis2_that_is_called_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (await found())["dhis2.unset"].level == "ok"
    file = tmp_path / "mapping.json"
    monkeypatch.setenv("MOTMA_DHIS2_MAPPING", str(file))
    assert (await found())["dhis2.file"].level == "error"
    file.write_text('{"stages": 1}')
    assert (await found())["dhis2.mapping"].level == "error"
    file.write_bytes((Path(dhis2.__file__).parent / "port-of-entry.json").read_bytes())
    assert (await found())["dhis2.mapping"].level == "ok"


async def test_a_port_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("MOTMA_PORT", str(other.getsockname()[1]))
        assert (await found())["port.taken"].level == "warning"


async def test_a_database_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for url in (
        f"postgresql://motma:geheim@/motma?host={tmp_path}",
        "postgresql://motma:geheim@127.0.0.1:1/motma",
        f"sqlite:///{tmp_path}",
        "sqlite:////proc/nowhere/motma.db",
    ):
        monkeypatch.setenv("MOTMA_DATABASE_URL", url)
        findings = await examine()
        assert findings[-1].level == "error" and findings[-1].id.startswith("storage."), url
        assert "geheim" not in str(findings)


async def test_signers_of_health_certificates(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await found())["dcc_signers.unset"].level == "ok"
    file = settings.data.parent / "signers"
    file.parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("MOTMA_DCC_SIGNERS", str(file))

    of_the_file = ("keys.unreadable", "keys.private", "keys.none")

    async def says(raw: bytes) -> Finding:
        file.write_bytes(raw)
        findings = await found()
        [finding] = [one for one in findings.values() if one.id.startswith("dcc_") or one.id in of_the_file]
        return finding

    assert (await found())["dcc_signers.file"].level == "error"
    now = utc_now()
    day = dt.timedelta(days=1)
    good, old = (certificate(KEY, since=now - 9 * day, until=now + days * day) for days in (1, -1))
    finding = await says(good.public_bytes(Encoding.PEM) + old.public_bytes(Encoding.PEM))
    assert (finding.level, finding.id) == ("ok", "dcc_signers.file")
    assert finding.message.startswith("1 of 2 signers") and "1 countries" in finding.message
    finding = await says(old.public_bytes(Encoding.PEM))
    assert (finding.level, finding.id) == ("warning", "dcc_signers.ended")
    private = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for raw, problem in (
        (b"", "keys.unreadable"),
        (b"[]", "keys.none"),
        (b"[{}]", "dcc_anchors.unreadable"),
        (b'{"keys": []}', "keys.none"),
        (b"\0" * (5 << 20), "keys.unreadable"),
        (private, "keys.private"),
        (KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "dcc_signers.none"),
    ):
        finding = await says(raw)
        assert (finding.level, finding.id) == ("error", problem), raw[:20]
        assert "MOTMA_DCC_SIGNERS" in finding.hint
        with pytest.raises(Invalid, match=problem.replace(".", r"\.")):
            async with build(read_settings()):
                pass
