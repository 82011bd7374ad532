#!/bin/sh
# Writes requirements.lock: every package with its hashes, for every platform, naming no registry.
set -eu
cd "$(dirname "$0")/.."

python=$(sh tools/find-python.sh)
sh tools/bootstrap-uv.sh "$python"
UV_PYTHON_DOWNLOADS=never .tools/uv pip compile --quiet --upgrade --universal --python "$python" --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
    --output-file requirements.lock pyproject.toml --group dev
