"""A platform's engineer lets themselves into a sandbox, and the samples on the page run as they stand."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.city import DESKTOP, PHONE, City, running_city

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    with running_city(sandbox=True) as running:
        yield running


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def runs(page: Page, folder: Path) -> tuple[str, str]:
    """What the page's own two samples print."""
    told = []
    for command in (["sh", "-c", page.inner_text("#curl")], [sys.executable, "-c", page.inner_text("#python")]):
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr
        told.append(ended.stdout)
    return told[0], told[1]


def test_with_a_key_made_in_the_browser(browser: Browser, city: City, tmp_path: Path) -> None:
    context = browser.new_context(viewport=DESKTOP, accept_downloads=True)  # type: ignore[arg-type]
    page = context.new_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    page.goto(f"{city.url}/sandbox")
    page.click("#with-key")
    assert page.url == f"{city.url}/sandbox" and not any(sent), "a name first, and no key without one"
    page.fill("#name", "Bệnh viện thử")
    with page.expect_download() as download:
        page.click("#with-key")
    download.value.save_as(tmp_path / "motma-key.pem")
    page.wait_for_selector("#python")
    pem = (tmp_path / "motma-key.pem").read_text()
    assert pem.startswith("-----BEGIN PRIVATE KEY-----") and any("kty" in body for body in sent)
    assert not any(pem.splitlines()[1] in body or "%22d%22" in body for body in sent), "it is sent nowhere"
    assert len([line for line in page.inner_text("#python").splitlines() if line]) <= 20
    by_curl, by_python = runs(page, tmp_path)
    assert '"code":"' in by_curl and len(by_python.split()) == 2
    assert f'"qid":"{by_python.split()[1]}"' in by_curl
    assert fits(page)
    context.close()


def test_without_a_script_a_token_is_enough(browser: Browser, city: City, tmp_path: Path) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{city.url}/sandbox")
    expect(page.locator("#with-key")).to_be_hidden()
    page.fill("#name", "Đội thử")
    page.click("button:not(#with-key)")
    by_curl, by_python = runs(page, tmp_path)
    assert '"outcome":"' in by_curl and by_python.split()[1] in by_curl
    assert fits(page)
    context.close()
