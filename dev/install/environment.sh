#!/usr/bin/env bash
# Makes the virtual environment .venv with pillowtop (editable) and all its dependency groups.
# Does nothing where it stands already and pyproject.toml has not changed since.
set -euo pipefail
cd "$(dirname "$0")/../.."

VENV=.venv
STAMP=$VENV/.made-for

fail() { echo "pillowtop: $*" >&2; exit 3; }

fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if fits "$candidate"; then echo "$candidate"; return; fi
    done
    fail "no Python 3.11 or newer was found: install python3 (Debian: apt install python3 python3-venv), or set PYTHON"
}

fingerprint() { cksum pyproject.toml "$0" | cut -d' ' -f1 | tr '\n' ' '; "$VENV/bin/python" -V; }

is_ready() { fits "$VENV/bin/python" && [ "$(cat "$STAMP" 2>/dev/null)" = "$(fingerprint)" ]; }

# What pip says, as one line a package: a minute of silence looks like a hang.
progress() {
    sed -un -e 's/^Collecting \([^ ]*\).*/  fetching \1/p' -e 's/^Installing collected.*/  installing/p'
}

has_pip() { fits "$VENV/bin/python" && "$VENV/bin/python" -m pip --version >/dev/null 2>&1; }

make_environment() {
    local python
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python has no venv module: install it (Debian: apt install python3-venv)"
    echo "Making the virtual environment $VENV (takes about a minute) ..."
    rm -rf "$VENV"
    "$python" -m venv "$VENV"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "pip>=25.1"
}

install_packages() {
    echo "Installing what pyproject.toml asks for ..."
    "$VENV/bin/python" -m pip install --disable-pip-version-check --editable . --group dev \
        2>"$VENV/pip.log" | progress ||
        { cat "$VENV/pip.log" >&2; fail "the packages could not be installed: pip says why above"; }
    fingerprint >"$STAMP"
}

is_ready && exit
has_pip || make_environment
install_packages
