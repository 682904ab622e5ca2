# Sourced: `apt_install PACKAGE...` from the machine's own apt sources, or one clear sentence.

apt_install() {
    if [ "$(id -u)" != 0 ]; then
        echo "set-up: missing: $*. Run this as root, or install them first." >&2
        return 1
    fi
    if ! command -v apt-get >/dev/null; then
        echo "set-up: missing: $*. There is no apt-get here; install them by your own means." >&2
        return 1
    fi
    echo "set-up: installing $*"
    local log
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    # Another vendor's broken source must not keep Debian's packages from being installed.
    apt-get -q -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 || true
    if ! apt-get -qy -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" \
        >>"$log" 2>&1; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        echo "set-up: apt-get could not install $*. Is the network there? Then try again." >&2
        return 1
    fi
    rm -f "$log"
}
