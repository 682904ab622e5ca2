#!/usr/bin/env bash
# Makes the virtual environment, if need be, and installs TeleAlarm into it.
# Usage: tests/lab/venv.sh FOLDER WHAT    (WHAT is `.` or `.[test]`)
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lab/apt.sh

venv=$1
what=$2

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    found=$(python3 --version 2>&1) || found="no python3"
    echo "set-up: TeleAlarm needs python3 of version 3.11 or later on PATH; here is $found." >&2
    exit 1
fi
if [ ! -x "$venv/bin/pip" ]; then
    # Debian's python3 comes without them.
    python3 -c 'import venv, ensurepip' 2>/dev/null || apt_install python3-venv
    echo "set-up: making $venv"
    python3 -m venv --clear "$venv"
fi
echo "set-up: installing TeleAlarm ($what) and its libraries into $venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --editable "$what"
