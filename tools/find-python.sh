#!/bin/sh
# Prints the newest Python that motma runs on (3.11 to 3.14) from PATH, or says that there is none.
set -eu

for name in python3.14 python3.13 python3.12 python3.11 python3 python; do
    # Not every name on PATH works (version switchers leave dead ones), so each is asked what it is.
    real=$("$name" -c '
import os, sys
if (3, 11) <= sys.version_info[:2] <= (3, 14):
    print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
' 2>/dev/null </dev/null) || continue
    if [ -n "$real" ]; then
        echo "$real"
        exit 0
    fi
done
echo "motma needs Python 3.11 or newer (up to 3.14) on PATH and found none: install it (Debian, Ubuntu: apt-get install python3)." >&2
exit 1
