#!/bin/sh
# Prints the path of SoftHSM's PKCS #11 library for the tests of hardware keys; installs it when the machine has none.
# Order: $MOTMA_SOFTHSM, where distributions put it, apt-get (as root).
set -eu

usable() { [ -n "$1" ] && [ -r "$1" ] && command -v softhsm2-util >/dev/null; }

here() {
    for path in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so /usr/lib64/pkcs11/libsofthsm2.so \
        /usr/lib64/softhsm/libsofthsm2.so /usr/local/lib/softhsm/libsofthsm2.so; do
        if usable "$path"; then echo "$path"; return; fi
    done
    return 1
}

with_apt() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends softhsm2; } >/dev/null </dev/null
}

if [ -n "${MOTMA_SOFTHSM:-}" ]; then
    if usable "$MOTMA_SOFTHSM"; then echo "$MOTMA_SOFTHSM"; exit 0; fi
    echo "MOTMA_SOFTHSM is $MOTMA_SOFTHSM, which is not there, or softhsm2-util is not." >&2
    exit 1
fi
if here; then exit 0; fi
echo "No SoftHSM on this machine: installing it." >&2
if with_apt && here; then exit 0; fi
echo "The tests of hardware keys need SoftHSM: install it (Debian: apt-get install softhsm2) or set MOTMA_SOFTHSM to its library." >&2
exit 1
