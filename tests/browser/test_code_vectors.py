"""A real browser's WebCrypto and DecompressionStream give every vector of the code the answer that they must."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from motma.web.officers import app_url
from tests.browser.city import open_browser, running_city

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "vectors" / "code" / "codes.json").read_text("utf-8"))
IN_WORDS_OF_THE_FILE = (ROOT / "tests" / "scanner" / "vectors.js").read_text("utf-8").replace("export ", "")


def test_every_vector_in_chromium() -> None:
    with running_city(measure=False) as city, sync_playwright() as playwright:
        browser = open_browser(playwright)
        try:
            page = browser.new_page()
            page.goto(f"{city.url}/scan/enrol")
            judge = (
                f"async ({{ url, keys, texts }}) => {{ {IN_WORDS_OF_THE_FILE}\n"
                "const { verifyCode } = await import(url); const ring = keyringOf(keys); const answers = [];\n"
                "for (const text of texts) answers.push(await judged(verifyCode, text, ring)); return answers; }"
            )
            texts = [case["text"] for case in VECTORS["cases"]]
            asked = {"url": f"{city.url}{app_url()}/code.js", "keys": VECTORS["keys"], "texts": texts}
            answers = page.evaluate(judge, asked)
        finally:
            browser.close()
    expected = [
        {name: value for name, value in case.items() if name not in ("about", "text")} for case in VECTORS["cases"]
    ]
    differing = [
        (case["about"], answer)
        for case, answer, right in zip(VECTORS["cases"], answers, expected, strict=True)
        if answer != right
    ]
    assert differing == []
