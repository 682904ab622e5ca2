#!/usr/bin/env bash
# Makes the virtual environment of the peers: procrastinate, APScheduler 4, Django REST Framework, ...
# Usage: benchmarks/peers.sh [FOLDER]    (FOLDER is .venv-peers if it is not given)
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${1:-.venv-peers}
[ -x "$venv/bin/pip" ] || python3 -m venv --clear "$venv"
# APScheduler 4 is a pre-release, which its line in requirements.txt asks for.
"$venv/bin/pip" install --quiet --disable-pip-version-check -r benchmarks/peers/requirements.txt
echo "peers: $venv"
