#!/bin/sh
# The gate without the tests. Runs every check, and fails at the end if one failed, so that all is seen at once.
set -u
cd "$(dirname "$0")/.."

failed=
step() {
    echo "== $*"
    ".venv/bin/$@" || failed="$failed $1"
}
step ruff format --check --output-format concise .
step ruff check --output-format concise .
step mypy
step lint-imports --no-logo --cache-dir .cache/import-linter

[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
