"""A real server in its own process, with ways in for everybody, and a real browser to look at it."""

import asyncio
import contextlib
import datetime as dt
import os
import shutil
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright

from motma.config import Settings, read_settings
from motma.core import base45
from motma.core.ids import new_fact_id, parse_qid
from motma.measures import load_demo_measure
from motma.register.population import Person, Population
from motma.replay.processes import free_port, running_server
from motma.services.check import Ask, Checked
from motma.services.enrol import Device
from motma.wiring import build, utc_now
from tests.register.running import SEED, SIZE, register

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}
OFFICER, OPERATOR, CHECKPOINT = "CB-01", "TRUC-BAN", "g07-vinh-binh"

# As root there is no sandbox; and no browser of a test looks for anything outside this machine.
_CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@dataclass(frozen=True, slots=True)
class City:
    """Where the server is, and what opens its doors."""

    url: str
    settings: Settings
    pin: str
    key: str
    token: str
    population: Population
    stop: Callable[[], None]
    """Ends the server's process; what it kept stays."""

    def person(self, index: int) -> Person:
        """Somebody of the register."""
        return self.population.person(index)

    def invite(self, checkpoint: str = CHECKPOINT) -> str:
        """A fresh enrolment link."""

        async def ask() -> str:
            async with build(self.settings) as built:
                return await built.house.enrol.invite_device(checkpoint, "Máy thử", utc_now())

        return f"{self.url}/scan/enrol#{_run(ask())}"

    def revoke(self, qid: str) -> None:
        """Withdraw a citizen, as somebody at a terminal does."""

        async def ask() -> None:
            async with build(self.settings) as built:
                await built.house.status.revoke(parse_qid(qid), "Thử thu hồi", by="test", now=utc_now())

        _run(ask())

    def divert(self, checkpoint: str) -> None:
        """Send people on from a checkpoint, as an operator does."""

        async def ask() -> None:
            async with build(self.settings) as built:
                await built.house.steer.open_diversion(checkpoint, None, "", by=OPERATOR, now=utc_now())

        _run(ask())

    def divert_no_more(self, checkpoint: str) -> None:
        """Let people go on there again."""

        async def ask() -> None:
            async with build(self.settings) as built:
                await built.house.steer.close_diversion(checkpoint, by=OPERATOR, now=utc_now())

        _run(ask())

    def judge(self, code: str, at: dt.datetime) -> Checked:
        """What an officer is answered to ``code`` scanned at another time than now."""

        async def ask() -> Checked:
            async with build(self.settings, clock=lambda: at) as built:
                scan = Ask(id=new_fact_id("scn", at, os.urandom(10)), scanned_at=at, code=code)
                device = Device("dev-test", CHECKPOINT, "Máy thử")
                return await built.house.check.check(scan, device=device, officer=OFFICER, now=at)

        return _run(ask())  # type: ignore[no-any-return]


@contextlib.contextmanager
def running_city(*, measure: bool = True, sandbox: bool = False) -> Iterator[City]:
    """A server on an empty store in a temporary folder, which asks the register of this process of tests."""
    folder = Path(tempfile.mkdtemp(prefix="motma-city-"))
    settings = replace(read_settings({}), data=folder / "data", port=free_port())
    people = register()
    people.clear()
    settings = replace(
        settings,
        database_url=f"sqlite:///{settings.data / 'motma.db'}",
        register_seed=SEED,
        register_size=SIZE,
        register_url=people.url,
        register_client=people.client_id,
        register_secret=people.client_secret,
        sandbox=sandbox,
    )

    async def admit() -> tuple[str, str, str]:
        async with build(settings) as built:
            now, enrol = utc_now(), built.house.enrol
            if measure:
                await built.house.steer.publish_measure(load_demo_measure(now), by="test", now=now)
            return (
                await enrol.appoint_officer(OFFICER, "Trần Văn Trực", now),
                await enrol.appoint_operator(OPERATOR, now),
                await enrol.register_platform("BENHVIEN", "Bệnh viện thử", now),
            )

    try:
        pin, key, token = _run(admit())
        with _in_thread(settings) as (url, stop):
            population = Population(settings.register_seed, settings.register_size)
            yield City(url, settings, pin, key, token, population, stop)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def open_browser(playwright: Playwright, *, camera: Path | None = None) -> Browser:
    """Chromium, headless; with ``camera`` that film is what its camera sees."""
    see = [f"--use-file-for-fake-video-capture={camera}"] if camera else []
    return playwright.chromium.launch(
        executable_path=os.environ.get("MOTMA_CHROMIUM") or shutil.which("chromium"), args=[*_CHROMIUM, *see]
    )


def film(picture: Image.Image, to: Path) -> Path:
    """A film (MJPEG) in which a camera of 640 × 480 looks at ``picture`` held up in front of a grey street."""
    frame = Image.new("RGB", (640, 480), (138, 142, 146))
    held = picture.convert("RGB").resize((300, 300), Image.Resampling.LANCZOS)
    frame.paste(held, (170, 90))
    jpeg = to.with_suffix(".jpg")
    frame.save(jpeg, quality=90)
    to.write_bytes(jpeg.read_bytes() * 4)
    return to


def picture_of(code: str) -> Image.Image:
    """A QR picture of any text."""
    barcode = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    return Image.fromarray(barcode.to_image(scale=4, add_quiet_zones=True))


def tamper(code: str) -> str:
    """Another name in a code that is otherwise as it was."""
    cose = bytearray(zlib.decompress(base45.decode(code)))
    cose[len(cose) // 2 - 10] ^= 0x01
    return base45.encode(zlib.compress(bytes(cose), 9))


def fill_declaration(
    page: Page, city: City, person: Person, *, symptoms: tuple[str, ...] = (), kind: str = "", contact: bool = False
) -> None:
    """Go through the three steps as a citizen does, up to the check page; with ``kind`` "none" without a number."""
    document = person.documents[0]
    page.goto(city.url)
    page.check(f"input[name='document.kind'][value='{kind or document.kind}']")
    if kind != "none":
        page.fill("[name='document.number']", document.number)
    page.fill("[name='name']", person.name)
    for part in ("day", "month", "year"):
        page.fill(f"[name='birth_date.{part}']", str(getattr(person.birth_date, part)))
    page.check(f"input[name='sex'][value='{person.sex}']")
    page.select_option("[name='nationality']", person.nationality)
    page.fill("[name='phone']", person.phone)
    page.click("button.primary[value='next']")
    _choose_place(page, "residence", person.residence.province, person.residence.commune)
    page.fill("[name='residence.address']", person.residence.address)
    _choose_place(page, "trip.origin", person.residence.province, person.residence.commune)
    _choose_place(page, "trip.destination", "79", "25747")
    page.select_option("[name='trip.vehicle']", "motorbike")
    page.fill("[name='trip.plate']", "59-X3 123.45")
    page.fill("[name='trip.departs_at']", f"{utc_now():%Y-%m-%dT%H:%M}")
    page.click("button.primary[value='next']")
    page.wait_for_selector("[name='health.contact']")
    for question in page.locator("input[value='no'][name^='health.']").all():
        question.check()
    if contact:
        page.check("input[name='health.contact'][value='yes']")
    for symptom in symptoms:
        page.check(f"input[name='health.symptoms.{symptom}'][value='yes']")
    page.click("button.primary[value='next']")
    page.wait_for_selector("input[name='consents']")


def enter_shift(page: Page, city: City, link: str) -> None:
    """Enrol the device and begin a shift."""
    page.goto(link)
    if page.locator("input[name='token']").count():
        page.click("form button[type='submit']")
    page.wait_for_url("**/scan/shift")
    page.fill("[name='officer']", OFFICER)
    page.fill("[name='pin']", city.pin)
    page.click("form#shift button[type='submit']")
    page.wait_for_url("**/scan")


def _choose_place(page: Page, name: str, province: str, commune: str) -> None:
    page.select_option(f"[name='{name}.province']", province)
    if not page.locator(f"[name='{name}.commune'] option[value='{commune}']").count():
        without_script = page.locator(f"button[value='communes']:near([name='{name}.province'])").first
        if without_script.is_visible():
            without_script.click()
        page.wait_for_selector(f"[name='{name}.commune'] option[value='{commune}']", state="attached")
    page.select_option(f"[name='{name}.commune']", commune)


def _run(work):  # type: ignore[no-untyped-def]
    """Run a coroutine to its end beside whatever loop Playwright keeps in this thread."""
    result: list = []
    thread = threading.Thread(target=lambda: result.append(asyncio.run(work)))
    thread.start()
    thread.join()
    return result[0]


@contextlib.contextmanager
def _in_thread(settings: Settings) -> Iterator[tuple[str, Callable[[], None]]]:
    """Keep the server's process for as long as the block lasts, or until it is told to stop."""
    started, ended = threading.Event(), threading.Event()
    told: list[str] = []

    async def keep() -> None:
        async with running_server(settings) as url:
            told.append(url)
            started.set()
            await asyncio.to_thread(ended.wait)

    def run() -> None:
        try:
            asyncio.run(keep())
        finally:
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()

    def stop() -> None:
        ended.set()
        thread.join()

    try:
        yield told[0], stop
    finally:
        stop()
