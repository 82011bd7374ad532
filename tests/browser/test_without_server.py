"""A checkpoint whose server is gone: the rules that the page kept decide; what is not known stays not known.

The real page keeps lists and rules while there is a network; then the server's process is ended, and the page is loaded
anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.city import PHONE, City, enter_shift, open_browser, picture_of, running_city, tamper
from tests.browser.test_whole_line import declare

pytestmark = pytest.mark.browser

_WAIT_MS = 20_000
_MINUTE_MS = 60_000

_DATABASE = """
const database = await new Promise((resolve, reject) => {
  const request = indexedDB.open("motma", 1);
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const kept = database.transaction("kept", "readwrite").objectStore("kept");
"""
# A device that another authority enrolled before: roots that sign none of our lists, and something of theirs.
_ENROLLED_BEFORE = f"""async () => {{ {_DATABASE}
  kept.clear();
  kept.put({{ device: "dev_before", issuer: "elsewhere.test", roots: [] }}, "pins");
  await done(kept.put(1, "status:https://elsewhere.test/v1/status/0"));
  database.close();
}}"""
_KEPT = f"""async () => {{ {_DATABASE}
  const names = await done(kept.getAllKeys());
  const ours = names.filter((name) => name.startsWith("status:") || name === "bundle");
  const lists = await Promise.all(ours.map((name) => done(kept.get(name))));
  database.close();
  return {{ names, etags: lists.map((list) => list.etag) }};
}}"""


@dataclass
class Post:
    """A checkpoint: its page, and the codes of three citizens, the second revoked while there was a network."""

    page: Page
    city: City
    folder: Path
    complaints: list[str]
    good: str = ""
    revoked: str = ""
    ill: str = ""

    def keep_lists(self) -> list[str]:
        """Open the page, and wait until what the server gives out is kept; gives the names of what is kept."""
        with (
            self.page.expect_response("**/v1/status/0", timeout=_WAIT_MS) as listed,
            self.page.expect_response("**/v1/bundle", timeout=_WAIT_MS) as bundled,
        ):
            self.page.goto(f"{self.city.url}/scan")
        etags = {listed.value.headers["etag"], bundled.value.headers["etag"]}
        for _ in range(100):
            kept = self.page.evaluate(_KEPT)
            if etags <= set(kept["etags"]):
                return list(kept["names"])
            self.page.wait_for_timeout(100)
        raise AssertionError("the lists are not kept")

    def show(self, code: str, *, after_ms: int = 0) -> None:
        """Load the page anew, without its server, so long after now; and have ``code`` read, as a picture."""
        if after_ms:
            self.page.clock.install()
            self.page.clock.fast_forward(after_ms)
        self.page.goto(f"{self.city.url}/scan")
        picture = self.folder / "code.png"
        picture_of(code).save(picture)
        self.page.set_input_files("#picture", picture)
        expect(self.page.locator("#verdict")).to_be_visible(timeout=_WAIT_MS)


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    with running_city() as city, sync_playwright() as playwright:
        browser = open_browser(playwright)
        try:
            page = browser.new_context(viewport=PHONE).new_page()
            post = Post(page, city, tmp_path_factory.mktemp("post"), [])
            page.on("pageerror", lambda error: post.complaints.append(str(error)))
            post.good = declare(browser.new_context(viewport=PHONE).new_page(), city, 5)
            post.ill = declare(browser.new_context(viewport=PHONE).new_page(), city, 7, symptoms=("fever",))
            citizen = browser.new_context(viewport=PHONE).new_page()
            post.revoked = declare(citizen, city, 6)
            enter_shift(page, city, city.invite())
            post.keep_lists()
            page.evaluate(_ENROLLED_BEFORE)
            names = post.keep_lists()
            assert "status:https://elsewhere.test/v1/status/0" not in names, "enrolled anew, a device begins anew"
            city.revoke(citizen.locator("#code").get_attribute("data-qid") or "")
            page.wait_for_timeout(1_500)  # a server looks once a second at what others wrote
            post.keep_lists()
            page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
            city.stop()
            yield post
            assert post.complaints == []
        finally:
            browser.close()


def test_a_good_code_passes_by_the_rules_on_the_device_which_says_so(post: Post) -> None:
    post.show(post.good)
    page = post.page
    expect(page.locator("#word")).to_have_text("ĐƯỢCQUA")
    expect(page.locator("#name")).to_have_text(post.city.person(5).name)
    expect(page.locator("#reason")).to_be_hidden()
    expect(page.locator("#cure")).to_contain_text("Hạn đến")
    for sentence in ("Mất mạng.", "Xét theo luật và danh sách trên máy, tải vừa xong.", "Chưa ghi nhận"):
        expect(page.locator("#note")).to_contain_text(sentence)
    expect(page.locator("#act")).to_have_text("Thử lại")


def test_symptoms_are_stopped_in_the_words_of_the_policy(post: Post) -> None:
    post.show(post.ill)
    expect(post.page.locator("#word")).to_have_text("KHÔNGQUA")
    expect(post.page.locator("#reason")).to_have_text("Tờ khai có triệu chứng.")
    expect(post.page.locator("#cure")).to_have_text("Mời sang chốt y tế, giữ khoảng cách.")
    expect(post.page.locator("#note")).to_contain_text("Chưa ghi nhận")


def test_a_code_that_was_revoked_is_stopped(post: Post) -> None:
    post.show(post.revoked)
    expect(post.page.locator("#word")).to_have_text("KHÔNGQUA")
    expect(post.page.locator("#reason")).to_have_text("Mã đã bị thu hồi.")
    expect(post.page.locator("#name")).to_have_text(post.city.person(6).name)


def test_a_forgery_is_stopped_and_names_nobody(post: Post) -> None:
    post.show(tamper(post.good))
    expect(post.page.locator("#word")).to_have_text("KHÔNGQUA")
    expect(post.page.locator("#reason")).to_have_text("Mã đã bị sửa hoặc làm giả.")
    expect(post.page.locator("#name")).to_be_hidden()


def test_an_hour_later_it_is_said_how_old_all_that_is(post: Post) -> None:
    post.show(post.good, after_ms=61 * _MINUTE_MS)
    expect(post.page.locator("#word")).to_have_text("ĐƯỢCQUA")
    expect(post.page.locator("#note")).to_contain_text("Xét theo luật và danh sách trên máy, tải 1\u00a0giờ trước.")


def test_the_next_day_the_lists_are_over_and_stop_nobody(post: Post) -> None:
    post.show(post.revoked, after_ms=25 * 60 * _MINUTE_MS)
    expect(post.page.locator("#word")).to_have_text("CHƯARÕ")
    expect(post.page.locator("#reason")).to_contain_text("Mã đã bị thu hồi, theo danh sách nay đã hết hạn.")
    expect(post.page.locator("#cure")).to_contain_text("bàn hỗ trợ")


def test_a_week_later_the_rules_are_over_too_and_nothing_is_known(post: Post) -> None:
    post.show(post.good, after_ms=8 * 24 * 60 * _MINUTE_MS)
    expect(post.page.locator("#word")).to_have_text("CHƯARÕ")
    expect(post.page.locator("#reason")).to_contain_text("chữ ký đúng, đã hết hạn lúc")
    expect(post.page.locator("#note")).to_contain_text("Bộ luật trên máy đã hết hạn.")
