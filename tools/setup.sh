#!/bin/sh
# Makes .venv from requirements.lock, with motma itself as an editable install. Safe to run again, and by two at once.
set -eu
cd "$(dirname "$0")/.."

mkdir -p .tools
if command -v flock >/dev/null; then
    exec 9>.tools/lock
    flock 9
fi

python=$(sh tools/find-python.sh)
sh tools/bootstrap-uv.sh "$python"
. tools/uv-settings.sh

# A .venv whose Python went away is made anew.
if ! .venv/bin/python -c '' 2>/dev/null; then
    .tools/uv venv --quiet --clear --python "$python" .venv
fi
.tools/uv pip sync --quiet --python .venv/bin/python --require-hashes --no-build requirements.lock
.tools/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .

# Software that is not ours, for the tests and the bench that set it beside us.
if ! .peers/bin/python -c '' 2>/dev/null; then
    .tools/uv venv --quiet --clear --python "$python" .peers
fi
.tools/uv pip sync --quiet --python .peers/bin/python --require-hashes --no-build requirements-peers.lock
