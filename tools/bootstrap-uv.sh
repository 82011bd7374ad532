#!/bin/sh
# Usage: bootstrap-uv.sh PYTHON. Puts uv into .tools/ with whatever that Python has: venv, or pip, or (as root) apt.
set -eu
cd "$(dirname "$0")/.."

python=$1
wanted=0.13.9

if [ "$(.tools/uv --version 2>/dev/null | cut -d' ' -f2)" = "$wanted" ]; then exit 0; fi
mkdir -p .tools

with_venv() {
    rm -rf .tools/uv-env
    "$python" -m venv .tools/uv-env >/dev/null 2>&1 || return 1
    .tools/uv-env/bin/python -m pip install --quiet --disable-pip-version-check "uv==$wanted" || return 1
    ln -sfn uv-env/bin/uv .tools/uv
}

with_pip() {
    rm -rf .tools/uv-pip
    "$python" -m pip --version >/dev/null 2>&1 || return 1
    "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
        --target .tools/uv-pip "uv==$wanted" || return 1
    ln -sfn uv-pip/bin/uv .tools/uv
}

with_apt() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    echo "Python has neither venv nor pip: installing python3-venv." >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; } >/dev/null </dev/null || return 1
    with_venv
}

if with_venv || with_pip || with_apt; then
    .tools/uv --version >/dev/null
else
    echo "Could not install uv with $python: install its venv module (Debian, Ubuntu: apt-get install python3-venv) and check the network." >&2
    exit 1
fi
