#!/bin/sh
# Writes /etc/asterisk from the project's files, with the environment put in for their
# ${TELEALARM_...}, then runs the command. A file of the folder docker is added to the one of
# the same name. NAME_FILE may name a file that holds the value of NAME, as a Docker secret does.
set -eu
from=/usr/share/telealarm/asterisk

fail() {
    echo "asterisk: $*" >&2
    exit 1
}

fill=
for name in $(cat "$from"/*.conf "$from"/docker/*.conf | grep -o '\${TELEALARM_[A-Z_]*}' \
    | tr -d '${}' | sort -u); do
    eval "value=\${$name:-} file=\${${name}_FILE:-}"
    if [ -z "$value" ] && [ -n "$file" ]; then
        value=$(cat "$file") || fail "${name}_FILE names $file, which cannot be read"
    fi
    case $value in
    '') fail "$name is not set; set it in .env" ;;
    # A semicolon would begin a comment in Asterisk's files.
    *[!A-Za-z0-9._:/,-]*)
        fail "$name may hold letters, digits and . _ : / , - only; change it in .env" ;;
    esac
    fill="$fill;s|\${$name}|$value|g"
done

# Asterisk as its own trunk would ring itself, and refuse every call.
is_own() {
    case $1 in 127.* | ::1 | 0.0.0.0) return 0 ;; esac
    for own in ${TELEALARM_PUBLIC_ADDRESS:-} $(hostname -I 2>/dev/null); do
        [ "$1" != "$own" ] || return 0
    done
    return 1
}
trunk=${TELEALARM_TRUNK_HOST:-}:${TELEALARM_TRUNK_PORT:-}
if [ "${trunk##*:}" = "${TELEALARM_SIP_PORT:-}" ]; then
    for address in ${trunk%:*} $(getent ahosts "${trunk%:*}" | cut -d ' ' -f 1 | sort -u); do
        ! is_own "$address" || fail "TELEALARM_TRUNK_HOST and TELEALARM_TRUNK_PORT say $trunk, which" \
            "is this Asterisk itself; name your provider's server in .env, or change TELEALARM_SIP_PORT"
    done
fi

umask 027
for name in $(cd "$from" && ls -- *.conf && cd docker && ls -- *.conf); do
    cat "$from/$name" "$from/docker/$name" 2>/dev/null | sed "$fill" >"/etc/asterisk/$name"
done
umask 022 # TeleAlarm, another user, reads the call records

# Asterisk fetches prompts from this machine only. Docker hands on the proxies of its client.
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY ftp_proxy FTP_PROXY all_proxy ALL_PROXY

exec "$@"
