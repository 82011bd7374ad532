"""What a decision costs in the officer's page, without a network, on a slow phone: Chromium, its CPU slowed down.

The page's own modules judge a code by the policies that ship, from a bundle as the server signs it. The slowing down is
that of Chromium's developer tools (``Emulation.setCPUThrottlingRate``).
"""

import base64
import datetime as dt
import gzip
import json
from typing import Any

from playwright.sync_api import Page, Route, sync_playwright

from bench.specimen import ISSUER, point, signer
from motma.core.bundle import Period, content_of, write_bundle
from motma.measures import load_demo_measure
from motma.policies import load_policies
from motma.roads import load_network
from motma.web.assets import assets
from tests.browser.city import open_browser

SLOWER = 6
_HERE = "g07-vinh-binh"
_ADDRESS = "http://localhost:9"
_RULES = ("rules.js", "policy.js", "evidence.js", "bundle.js")

_MEASURE = """async ({ raw, kid, point, issuer, nowMs }) => {
  const { accept, rulesAt, verdictOf } = await import("/app/bundle.js");
  const bytes = Uint8Array.from(atob(raw), (letter) => letter.charCodeAt(0));
  const roots = [{ kid, point: Uint8Array.from(point.match(/../g), (pair) => parseInt(pair, 16)), revoked: false }];
  const taking = [], readying = [], first = [], singles = [], means = [];
  const nobody = { problem: "code.not_ours", code: null, status: null, keys: { ageMs: null, isStale: false } };
  const timed = (to, act) => {
    const at = performance.now();
    const value = act();
    to.push(performance.now() - at);
    return value;
  };
  const says = (n) => ({
    problem: n % 50 ? null : "code.forged",
    code: n % 50 ? { live: n % 2 ? "live" : "static", matched: n % 10 > 0, worth: n % 25 ? "accept" : "reject",
      issuedAt: nowMs - 3_600_000, validFrom: nowMs - 3_600_000, validUntil: nowMs + (n % 20 ? 3_600_000 : -1) } : null,
    status: n % 50 ? { said: n % 30 ? "valid" : "revoked", code: null, ageMs: 60_000, isStale: false } : null,
    keys: { ageMs: 60_000, isStale: false, refused: null },
  });
  const crowd = Array.from({ length: 500 }, (_, n) => says(n));
  const told = {};
  for (let round = 0; round < 11; round++) {
    const at = performance.now();
    const bundle = await accept(bytes, { roots, issuer, nowMs });
    taking.push(performance.now() - at);
    timed(readying, () => (rulesAt(bundle, nowMs), verdictOf(nobody, bundle, nowMs, nowMs)));
    timed(first, () => verdictOf(crowd[1], bundle, nowMs, nowMs));
    const began = performance.now();
    for (const one of crowd) {
      const { outcome } = timed(singles, () => verdictOf(one, bundle, nowMs, nowMs));
      told[outcome] = (told[outcome] ?? 0) + 1;
    }
    means.push((performance.now() - began) / crowd.length);
  }
  const middle = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];
  const sorted = singles.toSorted((a, b) => a - b);
  return { told, coldTaking: taking[0], coldReadying: readying[0], cold: first[0], taking: middle(taking),
    readying: middle(readying), mean: middle(means), rare: sorted[Math.floor(sorted.length * 0.99)] };
}"""


def ratios() -> dict[str, float]:
    """Milliseconds in the page, slowed down, and bytes that the phone loads for it.

    A *first* time is that of a page that was just opened: *take* a bundle (verify, read) and *ready* it (compile, judge
    nobody), once for each, and the decision that somebody waits for then.
    """
    now = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)
    measure = load_demo_measure(now)
    policies, _ = load_policies()
    periods = [Period(None, measure, policies), Period(measure.ends_at, None, ())]
    content = content_of(_HERE, load_network().by_id[_HERE], periods)
    raw = write_bundle(content, issuer=ISSUER, version=1, signer=signer(), now=now)
    asked = {
        "raw": base64.b64encode(raw).decode(),
        "kid": signer().kid.hex(),
        "point": point(signer().public).hex(),
        "issuer": ISSUER,
        "nowMs": int(now.timestamp() * 1000),
    }
    with sync_playwright() as playwright:
        browser = open_browser(playwright)
        page = browser.new_page()
        page.route("**/*", _serve)
        page.goto(f"{_ADDRESS}/")
        _slow_down(page)
        found: dict[str, Any] = page.evaluate(_MEASURE, asked)
        browser.close()
    if set(found["told"]) != {"accept", "manual", "reject"}:
        raise RuntimeError(f"not what is seen in a day: {found['told']}")
    files = [assets("scanner")[name].body for name in _RULES]
    return {
        "page_decision_ms": found["mean"],
        "page_decision_first_ms": found["cold"],
        "page_decision_p99_ms": found["rare"],
        "page_ready_bundle_ms": found["readying"],
        "page_ready_bundle_first_ms": found["coldReadying"],
        "page_take_bundle_ms": found["taking"],
        "page_take_bundle_first_ms": found["coldTaking"],
        "bundle_bytes": len(raw),
        "bundle_gzip_bytes": len(gzip.compress(raw, 6, mtime=0)),
        "page_rules_bytes": sum(map(len, files)),
        "page_rules_gzip_bytes": sum(len(gzip.compress(body, 9, mtime=0)) for body in files),
    }


def _slow_down(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def _serve(route: Route) -> None:
    """The page's files from this folder, without a server."""
    path = route.request.url.removeprefix(_ADDRESS).removeprefix("/app/")
    folder, name = ("web/static", path.removeprefix("static/")) if path.startswith("static/") else ("scanner", path)
    asset = assets(folder).get(name)
    if path == "/":
        route.fulfill(body="<!doctype html><title>bench</title>", content_type="text/html")
    elif asset is None:
        route.fulfill(status=404)
    else:
        route.fulfill(body=asset.body, content_type="text/javascript")


if __name__ == "__main__":
    print(json.dumps({name: round(value, 4) for name, value in ratios().items()}, indent=2))
