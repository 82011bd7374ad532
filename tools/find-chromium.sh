#!/bin/sh
# Prints the path of a Chromium for the browser tests; installs one when the machine has none.
# Order: $MOTMA_CHROMIUM, PATH, Playwright's own, Playwright's download, apt-get (as root).
set -eu
cd "$(dirname "$0")/.."

usable() { [ -n "$1" ] && [ -x "$1" ] && "$1" --version >/dev/null 2>&1 </dev/null; }

# Prints the first usable browser that is already here.
here() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        path=$(command -v "$name" || true)
        if usable "$path"; then echo "$path"; return; fi
    done
    path=$(.venv/bin/python 2>/dev/null </dev/null -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    print(p.chromium.executable_path)
' || true)
    if usable "$path"; then echo "$path"; return; fi
    return 1
}

with_playwright() {
    timeout 60 .venv/bin/python -m playwright install chromium >&2 </dev/null
}

with_apt() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null </dev/null
}

if [ -n "${MOTMA_CHROMIUM:-}" ]; then
    if usable "$MOTMA_CHROMIUM"; then echo "$MOTMA_CHROMIUM"; exit 0; fi
    echo "MOTMA_CHROMIUM is $MOTMA_CHROMIUM, which does not start." >&2
    exit 1
fi
if here; then exit 0; fi
echo "No Chromium on this machine: installing one (a minute or two)." >&2
if with_playwright 2>/dev/null && here; then exit 0; fi
if with_apt && here; then exit 0; fi
echo "The browser tests need Chromium: install it (Debian: apt-get install chromium) or set MOTMA_CHROMIUM to its path." >&2
exit 1
