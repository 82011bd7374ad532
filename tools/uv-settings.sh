# Sourced by the scripts that call uv.
# The machine's own Python, never a download; the machine's certificates where it has any (a network may add its own).
export UV_PYTHON_DOWNLOADS=never
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
fi
