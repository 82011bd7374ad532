"""Pictures of every page, to look at: ``make screenshots``. Phone and desktop, both languages, errors and empty states.

They land in ``.cache/screenshots``; nothing here judges them but you.
"""

import contextlib
import datetime as dt
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from motma.core.ids import Document
from motma.register.population import Person
from tests.browser import exchange_screenshots
from tests.browser.city import (
    CHECKPOINT,
    DESKTOP,
    OPERATOR,
    PHONE,
    City,
    enter_shift,
    fill_declaration,
    film,
    open_browser,
    picture_of,
    running_city,
    tamper,
)
from tests.browser.test_along import asks_for
from tests.browser.test_repair import type_code
from tests.core.ministry import GOOD

FOLDER = Path(".cache/screenshots")
SIZES = {"phone": PHONE, "desktop": DESKTOP}


def main() -> None:
    """Take them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with running_city() as city, sync_playwright() as playwright:
        browser = open_browser(playwright)
        code = ""
        for language in ("vi", "en"):
            for size, viewport in SIZES.items():
                with _context(browser, city, viewport, language) as context:
                    code = _citizen(context, city, f"{language}-{size}") or code
                    _others(context, city, f"{language}-{size}")
        _dark(browser, city)
        browser.close()
        seen = {"accept": code, "stop": tamper(code), "unknown": "HELLO"}
        for name, text in seen.items():
            camera = film(picture_of(text), FOLDER / f"{name}.mjpeg")
            looking = open_browser(playwright, camera=camera)
            for language in ("vi", "en"):
                for size, viewport in SIZES.items():
                    with _context(looking, city, viewport, language, camera=True) as context:
                        page = context.new_page()
                        enter_shift(page, city, city.invite())
                        page.locator("#verdict").wait_for(state="visible", timeout=20_000)
                        page.wait_for_timeout(300)
                        page.screenshot(path=FOLDER / f"scan-{name}-{language}-{size}.png")
            looking.close()
        for left in [*FOLDER.glob("*.mjpeg"), *FOLDER.glob("*.jpg")]:
            left.unlink()
        browser = open_browser(playwright)
        for language in ("vi", "en"):
            for size, viewport in SIZES.items():
                with _context(browser, city, viewport, language) as context:
                    _operator(context, city, f"{language}-{size}")
        states = [(language, size) for language in ("vi", "en") for size in SIZES]
        codes = _offline_codes(browser, city)
        for language, size in states:
            with _context(browser, city, SIZES[size], language) as context:
                _offline(context, city, codes, f"{language}-{size}")
        for number, (language, size) in enumerate(states):
            with _context(browser, city, SIZES[size], language) as context:
                _way_out(context, city, f"{language}-{size}", number)
                _ahead(context, city, f"{language}-{size}", number)
        _exchange(browser, city, states)
        browser.close()
        street = open_browser(
            playwright, camera=film(Image.new("RGB", (300, 300), (120, 120, 120)), FOLDER / "street.mjpeg")
        )
        for number, (language, size) in enumerate(states):
            for seen in (True, False):
                with _context(street, city, SIZES[size], language, camera=seen) as context:
                    _papers(context, city, f"{language}-{size}{'' if seen else '-no-camera'}", 30 + 2 * number + seen)
        street.close()
        for left in FOLDER.glob("street*"):
            left.unlink()
    with running_city(measure=False) as city, sync_playwright() as playwright:
        browser = open_browser(playwright)
        with _context(browser, city, PHONE, "vi") as context:
            _shoot(context.new_page(), city, "/", "nothing-asked-vi-phone")
        browser.close()
    with running_city(sandbox=True) as city, sync_playwright() as playwright:
        browser = open_browser(playwright)
        exchange_screenshots.sandbox(browser, city, _keep)
        exchange_screenshots.report(browser, FOLDER, _keep)
        browser.close()
    sys.stdout.write(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}\n")


def _exchange(browser: Browser, city: City, states: list[tuple[str, str]]) -> None:
    """The pages of the interlinking, on a city where something happened."""
    people = _longest_names(city)
    case = exchange_screenshots.with_a_case(city)
    exchange_screenshots.with_sources(city, people[60:63])
    for number, (language, size) in enumerate(states):
        with _context(browser, city, SIZES[size], language) as context:
            name = f"{language}-{size}"
            exchange_screenshots.health(context, city, case, _keep, name)
            exchange_screenshots.operator(context, city, people[64 + 4 * number : 67 + 4 * number], _keep, name)
            exchange_screenshots.looks(context, city, people[90 + number], _keep, name)


def _citizen(context: BrowserContext, city: City, name: str) -> str:
    page = context.new_page()
    page.goto(city.url)
    _keep(page, f"declare-1-{name}")
    page.click("button.primary[value='next']")
    page.wait_for_selector(".error")
    _keep(page, f"declare-1-errors-{name}")
    fill_declaration(page, city, _longest(city))
    _keep(page, f"declare-4-{name}")
    for consent in page.locator("input[name='consents']").all():
        consent.check()
    page.click("button.primary[value='send']")
    page.wait_for_url("**/code")
    page.wait_for_timeout(300)
    page.screenshot(path=FOLDER / f"code-{name}.png")
    page.route("**/code/1/live", lambda route: route.abort())
    page.reload()
    page.locator("#offline").wait_for()
    page.locator(".shared summary").click()
    _keep(page, f"code-offline-{name}")
    page.unroute("**/code/1/live")
    page.goto(f"{city.url}/code/1/looks")
    _keep(page, f"looks-{name}")
    refused = context.new_page()
    fill_declaration(refused, city, _other_name(city))
    for consent in refused.locator("input[name='consents']").all():
        consent.check()
    refused.click("button.primary[value='send']")
    refused.wait_for_timeout(800)
    _keep(refused, f"refused-{name}")
    saved = context.request.get(f"{city.url}/code/1.png").body()
    (FOLDER / f"saved-{name}.png").write_bytes(saved)
    found = zxingcpp.read_barcode(Image.open(io.BytesIO(saved)))
    return str(found.text) if found else ""


def _ahead(context: BrowserContext, city: City, name: str, n: int) -> None:
    """What checkpoints would say: of somebody well, with one of them congested; too late; of somebody ill."""
    page = context.new_page()
    place = f"{city.url}/code/1/ahead"
    _declared(page, city, _longest_names(city)[n + 30])
    page.goto(place)
    _keep(page, f"ahead-network-{name}")
    route = "&".join(f"checkpoint={id}" for id in (CHECKPOINT, "i03-dinh-bo-linh", "i22-an-phu-dong"))
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=5)
    city.divert(CHECKPOINT)
    page.goto(f"{place}?asked=1&{route}")
    page.locator("details").first.locator("summary").click()
    _keep(page, f"ahead-diverted-{name}")
    city.divert_no_more(CHECKPOINT)
    page.goto(f"{place}?asked=1&at={later:%Y-%m-%dT%H:%M}&{route}")
    _keep(page, f"ahead-later-{name}")
    page.goto(f"{place}?asked=1&at=2001-01-01T00:00&{route}")
    _keep(page, f"ahead-error-{name}")
    _declared(page, city, _without_a_word(_longest_names(city)[n + 40]))
    page.goto(f"{place}?asked=1")
    _keep(page, f"ahead-check-{name}")
    _declared(page, city, _longest_names(city)[n + 50], symptoms=("fever",))
    page.goto(f"{place}?asked=1&{route}")
    _keep(page, f"ahead-ill-{name}")


def _declared(page: Page, city: City, person: Person, *, symptoms: tuple[str, ...] = ()) -> None:
    fill_declaration(page, city, person, symptoms=symptoms)
    _send(page)
    page.wait_for_load_state()
    page.wait_for_selector("#code, a[href='/code']")


def _others(context: BrowserContext, city: City, name: str) -> None:
    page = context.new_page()
    for path, kept in (
        ("/docs", "docs"),
        ("/docs/errors", "errors"),
        ("/nowhere", "404"),
        ("/ops/login", "ops-login"),
        ("/scan/enrol", "enrol"),
    ):
        _shoot(page, city, path, f"{kept}-{name}")


def _operator(context: BrowserContext, city: City, name: str) -> None:
    page = context.new_page()
    page.goto(f"{city.url}/ops/login")
    page.fill("[name='name']", OPERATOR)
    page.fill("[name='key']", city.key)
    page.click("form[action='/ops/login'] button")
    page.wait_for_url("**/ops")
    context.request.post(f"{city.url}/ops/diversions", form={"checkpoint": CHECKPOINT, "to": "", "note": "Ùn dài 1 km"})
    page.wait_for_timeout(2500)
    _keep(page, f"ops-{name}")
    city.divert_no_more(CHECKPOINT)


def _papers(context: BrowserContext, city: City, name: str, n: int) -> None:
    """A verdict that lacks a certificate, one that lacks a permit; the officer who scans what is asked for."""
    person = _longest_names(city)[n]
    page = context.new_page()
    fill_declaration(page, city, person)
    _send(page)
    page.wait_for_url("**/code")
    qid = re.sub(r"\D", "", page.locator(".qid").inner_text())
    page = context.new_page()
    enter_shift(page, city, city.invite())
    for paper in ("certificate", "permit"):
        asks_for(page, paper)
        _check(page, qid)
        page.screenshot(path=FOLDER / f"scan-{paper}-asked-{name}.png")
        page.click("#act")
        page.wait_for_timeout(300)
        page.screenshot(path=FOLDER / f"scan-{paper}-sought-{name}.png")
        type_code(page, qid)
        page.wait_for_timeout(200)
        page.screenshot(path=FOLDER / f"scan-{paper}-not-a-paper-{name}.png")
        type_code(page, GOOD)
        page.locator("#note").wait_for(state="visible")
        page.screenshot(path=FOLDER / f"scan-{paper}-another-persons-{name}.png")
        page.click("#next")
        page.wait_for_timeout(500)
        page.unroute("**/v1/checks")


def _way_out(context: BrowserContext, city: City, name: str, n: int) -> None:
    """A name to mend, a child without a number, too many tries; the officer who mends it; the operator who looks."""
    person = _longest_names(city)[n + 70]
    page = context.new_page()
    page.goto(city.url)
    page.check("input[name='document.kind'][value='none']")
    _keep(page, f"declare-1-child-{name}")
    fill_declaration(page, city, _without_a_word(person))
    _send(page)
    page.wait_for_selector("a[href='/code']")
    _keep(page, f"repairable-{name}")
    page.goto(f"{city.url}/code")
    page.wait_for_timeout(300)
    _keep(page, f"code-repairable-{name}")
    qid = re.sub(r"\D", "", page.locator(".qid").inner_text())
    child = _longest_names(city)[n + 10]
    fill_declaration(page, city, child, kind="none")
    page.evaluate("document.querySelectorAll('[name=consents]').forEach(box => box.checked = true)")
    page.click("button.primary[value='send']")
    page.wait_for_url("**/code")
    _keep(page, f"code-unidentified-{name}")
    for again in range(6):
        wrong = msgspec.structs.replace(_longest_names(city)[n + 20], birth_date=dt.date(1986, 1, 1 + again))
        fitting = msgspec.structs.replace(wrong, documents=(Document("cmnd", f"99912345{n}"),))
        fill_declaration(page, city, fitting)
        _send(page)
        page.wait_for_selector("button[value='edit1']")
        page.wait_for_timeout(200)
    _keep(page, f"too-many-tries-{name}")

    page = context.new_page()
    enter_shift(page, city, city.invite())
    _check(page, qid)
    page.screenshot(path=FOLDER / f"scan-check-{name}.png")
    page.click("#act")
    page.screenshot(path=FOLDER / f"repair-{name}.png")
    page.click("#repair-send")
    page.screenshot(path=FOLDER / f"repair-no-reason-{name}.png")
    page.click("#repair-scan")
    page.wait_for_timeout(500)  # until a double tap would be over
    page.screenshot(path=FOLDER / f"repair-reading-{name}.png")
    page.click("#type-card")
    page.fill("#repair-name", person.name)
    page.select_option("#repair-reason", "typing")
    context.set_offline(True)
    page.click("#repair-send")
    page.locator("#repair-hint.bad").wait_for()
    page.screenshot(path=FOLDER / f"repair-offline-{name}.png")
    context.set_offline(False)
    page.click("#repair-send")
    page.locator("#repair").wait_for(state="hidden")
    page.screenshot(path=FOLDER / f"repaired-{name}.png")
    page.click("#act")
    page.wait_for_timeout(500)
    code = context.new_page()
    code.goto(f"{city.url}/code")
    child_qid = re.sub(r"\D", "", code.locator(".qid").inner_text())
    _check(page, child_qid)
    page.screenshot(path=FOLDER / f"scan-no-number-{name}.png")
    page.click("#act")
    page.screenshot(path=FOLDER / f"repair-no-number-{name}.png")
    page.select_option("#repair-reason", "no_number")
    page.click("#repair-send")
    page.locator("#repair").wait_for(state="hidden")
    page.goto(f"{city.url}/ops/login")
    page.fill("[name='name']", OPERATOR)
    page.fill("[name='key']", city.key)
    page.click("form[action='/ops/login'] button")
    page.wait_for_url("**/ops")
    page.screenshot(path=FOLDER / f"ops-to-review-{name}.png")
    for path in ("policies", "policies/of/health", "policies/new?of=health"):
        page.goto(f"{city.url}/ops/{path}")
        page.wait_for_load_state("networkidle")
        _keep(page, f"{path.split('?')[0].replace('/', '-')}-{name}")
    page.fill("#text", page.input_value("#text").replace("verdict: reject", "verdict: never"))
    page.locator(".pol-findings").wait_for()
    _keep(page, f"policies-wrong-{name}")
    page.click("button[value='check']")  # nothing is left unsaved that would hold the next page up
    page.goto(f"{city.url}/ops/review")
    _keep(page, f"review-{name}")
    while page.locator("button[value='yes']").count():
        page.locator("button[value='yes']").first.click()
        page.wait_for_load_state()
    _keep(page, f"review-empty-{name}")


def _offline_codes(browser: Browser, city: City) -> dict[str, str]:
    """The code of somebody who is well, who was in contact, who is ill: the longest names of all."""
    codes = {}
    answers = {"go": "well", "check": "contact", "stop": "ill"}
    for number, (name, health) in enumerate(answers.items()):
        with _context(browser, city, PHONE, "vi") as context:
            page = context.new_page()
            person, symptoms = _longest_names(city)[26 + number], ("fever",) if health == "ill" else ()
            fill_declaration(page, city, person, symptoms=symptoms, contact=health == "contact")
            _send(page)
            page.wait_for_url("**/code")
            found = zxingcpp.read_barcode(Image.open(io.BytesIO(context.request.get(f"{city.url}/code/1.png").body())))
            codes[name] = str(found.text) if found else ""
    return codes


def _offline(context: BrowserContext, city: City, codes: dict[str, str], name: str) -> None:
    """What a scanner says whose network is gone: by its rules; by lists of yesterday; without any rules."""
    page = context.new_page()
    page.clock.install()
    with page.expect_response("**/v1/bundle"):
        enter_shift(page, city, city.invite())
    page.wait_for_timeout(1_000)
    context.set_offline(True)
    shown = [*codes.items(), ("forged", tamper(codes["go"])), ("unknown", codes["go"])]
    for state, code in shown:
        page.clock.fast_forward(25 * 3_600_000 if state == "unknown" else 120_000)
        picture = FOLDER / "offline.png"
        picture_of(code).save(picture)
        page.set_input_files("#picture", picture)
        page.locator("#verdict").wait_for()
        page.wait_for_timeout(300)
        page.screenshot(path=FOLDER / f"scan-offline-{state}-{name}.png")
        picture.unlink()
        page.locator("#next").click()
    context.set_offline(False)


def _send(page: Page) -> None:
    for consent in page.locator("input[name='consents']").all():
        consent.check()
    page.click("button.primary[value='send']")


def _check(page: Page, qid: str) -> None:
    page.click("#open-pad")
    page.fill("#digits", qid)
    page.click("#pad-form [type='submit']")
    page.locator("#verdict").wait_for()


def _longest_names(city: City) -> list[Person]:
    """Citizens with cards, the longest names of the first few thousand first."""
    people = [person for person in map(city.person, range(3_000)) if person.documents[0].kind == "cccd"]
    return sorted(people, key=lambda person: -len(person.name))


def _without_a_word(person: Person) -> Person:
    words = person.name.split(" ")
    return msgspec.structs.replace(person, name=" ".join([words[0], *words[2:]]))


def _dark(browser: Browser, city: City) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme="dark")
    _shoot(context.new_page(), city, "/", "declare-1-dark-vi-phone")
    context.close()


def _shoot(page: Page, city: City, path: str, name: str) -> None:
    page.goto(city.url + path)
    page.wait_for_load_state("networkidle")
    _keep(page, name)


def _keep(page: Page, name: str) -> None:
    page.screenshot(path=FOLDER / f"{name}.png", full_page=True)


@contextlib.contextmanager
def _context(
    browser: Browser, city: City, viewport: dict[str, int], language: str, *, camera: bool = False
) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=viewport, permissions=["camera"] if camera else [])
    context.set_default_timeout(10_000)
    context.add_cookies([{"name": "motma_lang", "value": language, "url": city.url}])
    yield context
    context.close()


def _longest(city: City) -> Person:
    """The longest name among the first few thousand."""
    return max((city.person(index) for index in range(3000)), key=lambda person: len(person.name))


def _other_name(city: City) -> Person:
    """Somebody who leaves a word of their name out."""
    person = city.person(12)
    words = person.name.split(" ")
    return msgspec.structs.replace(person, name=" ".join([words[0], *words[2:]]) if len(words) > 2 else person.name)


if __name__ == "__main__":
    main()
