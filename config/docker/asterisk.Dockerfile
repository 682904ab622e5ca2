# Asterisk with TeleAlarm's dialplan, configuration and sounds. Built from the top folder:
# docker compose build asterisk
FROM debian:forky-20261005

# Of the package's configuration nothing is kept: a module without its file opens no port.
# The package lacks the folder for what callees record.
RUN apt-get update \
 && apt-get install -y --no-install-recommends 'asterisk=1:22.*' ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && find /etc/asterisk -mindepth 1 -delete \
 && install -d -o asterisk -g asterisk /run/asterisk \
 && install -d -m 750 -o asterisk -g asterisk /var/spool/asterisk/recording

# English lies where Asterisk looks if it has no file in the channel's language.
COPY sounds /usr/share/telealarm/sounds/
RUN cd /usr/share/telealarm/sounds \
 && for wav in */*.wav */*.wav16; do \
      language=${wav%/*}/; \
      install -D -m 644 "$wav" "/usr/share/asterisk/sounds/${language#en/}telealarm/${wav##*/}" \
      || exit 1; \
    done
COPY dialplan/telealarm.conf /etc/asterisk/
COPY config/asterisk/*.conf /usr/share/telealarm/asterisk/
COPY config/docker/asterisk/*.conf /usr/share/telealarm/asterisk/docker/
COPY config/docker/asterisk-entrypoint.sh /usr/local/bin/asterisk-entrypoint
# Whatever the umask of whoever checked them out: Asterisk's user has to read them.
RUN chmod -R a+rX /etc/asterisk /usr/share/telealarm/asterisk /usr/local/bin/asterisk-entrypoint

USER asterisk
ENTRYPOINT ["/bin/sh", "/usr/local/bin/asterisk-entrypoint"]
CMD ["asterisk", "-fn"]
