#!/bin/sh
# Writes /etc/asterisk from the project's files, with the environment put in for their
# ${TELEALARM_...}, then runs the command. A file of the folder docker is added to the one of
# the same name.
set -eu
from=/usr/share/telealarm/asterisk

fill=
for name in $(cat "$from"/*.conf "$from"/docker/*.conf | grep -o '\${TELEALARM_[A-Z_]*}' \
    | tr -d '${}' | sort -u); do
    eval "value=\${$name:-}"
    case $value in
    '')
        echo "asterisk: $name is not set; set it in .env" >&2
        exit 1
        ;;
    # A semicolon would begin a comment in Asterisk's files.
    *[!A-Za-z0-9._:-]*)
        echo "asterisk: $name may hold letters, digits and . _ : - only; change it in .env" >&2
        exit 1
        ;;
    esac
    fill="$fill;s|\${$name}|$value|g"
done

umask 027
for name in $(cd "$from" && ls -- *.conf && cd docker && ls -- *.conf); do
    cat "$from/$name" "$from/docker/$name" 2>/dev/null | sed "$fill" >"/etc/asterisk/$name"
done
umask 022 # TeleAlarm, another user, reads the call records

exec "$@"
