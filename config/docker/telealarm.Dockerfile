# TeleAlarm with its speech engines. Built from the top folder: docker compose build telealarm
FROM debian:trixie-20261005

RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates espeak-ng flite \
    passwd python3-venv \
 && rm -rf /var/lib/apt/lists/*

# A user of its own, who may write below its home and nothing else.
RUN useradd --system --no-create-home --home-dir /var/lib/telealarm telealarm \
 && install -d -m 700 -o telealarm -g telealarm /var/lib/telealarm \
 && install -d -m 711 -o telealarm -g telealarm /var/lib/telealarm/prompts \
 && install -d -m 700 -o telealarm -g telealarm /var/lib/telealarm/recordings \
 && install -d -m 700 -o telealarm -g telealarm /var/lib/telealarm/key

# The libraries have a layer of their own: a change of the code downloads nothing. Each is pinned
# with its hashes; `make lock` writes the file.
COPY config/docker/requirements.txt /usr/src/telealarm/
RUN python3 -m venv /opt/telealarm \
 && /opt/telealarm/bin/pip install --no-cache-dir --require-hashes \
    -r /usr/src/telealarm/requirements.txt

COPY setup.py pyproject.toml /usr/src/telealarm/
COPY telealarm /usr/src/telealarm/telealarm/
COPY sounds /usr/src/telealarm/sounds/
COPY config /usr/src/telealarm/config/
COPY dialplan /usr/src/telealarm/dialplan/
COPY config/docker/telealarm.yml /etc/telealarm/
# Whatever the umask of whoever checked them out: TeleAlarm's user has to read them.
RUN /opt/telealarm/bin/pip install --no-cache-dir --no-index --no-deps --no-build-isolation \
    /usr/src/telealarm \
 && chmod -R a+rX /etc/telealarm

ENV PATH=/opt/telealarm/bin:$PATH
ENV TELEALARM_CONFIG=/etc/telealarm/telealarm.yml
USER telealarm
WORKDIR /var/lib/telealarm
CMD ["telealarm", "serve"]
