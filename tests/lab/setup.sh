#!/usr/bin/env bash
# Installs what the lab needs and what is missing here: SIP phones, speech, and an Asterisk.
# Usage: tests/lab/setup.sh PYTHON [tests [long]]
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lab/apt.sh

if [ "$(id -u)" != 0 ]; then
    echo "set-up: the lab needs root: it starts Asterisk as Asterisk's user, in a root folder." >&2
    exit 1
fi

python=$1
missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }

need sipp sip-tester
need flite flite
need espeak-ng espeak-ng
command -v asterisk /usr/sbin/asterisk >/dev/null || need mmdebstrap mmdebstrap
if [ "${2:-}" = tests ]; then
    compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
    # The explorer of the API is tried in a browser.
    need chromium chromium
    need chromedriver chromium-driver
    # For the service under a shifted clock.
    need faketime faketime
    # For the root folders in which the images of docker-compose.yml are proven.
    need mmdebstrap mmdebstrap
fi
if [ "${3:-}" = long ]; then
    # openapi-generator is a program of Java.
    need java default-jre-headless
fi

[ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
"$python" -m tests.lab.asterisk_root
if [ "${3:-}" = long ]; then
    "$python" -m tests.lab.generators
fi
