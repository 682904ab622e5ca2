# TeleAlarm with its speech engines. Built from the top folder: docker compose build telealarm
FROM debian:trixie

RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates espeak-ng flite \
    passwd python3-venv \
 && rm -rf /var/lib/apt/lists/*

COPY setup.py pyproject.toml /usr/src/telealarm/
COPY telealarm /usr/src/telealarm/telealarm/
COPY sounds /usr/src/telealarm/sounds/
COPY config/examples /usr/src/telealarm/config/examples/
RUN python3 -m venv /opt/telealarm \
 && /opt/telealarm/bin/pip install --no-cache-dir /usr/src/telealarm

# A user of its own, who may write the prompts and the key, and nothing else.
RUN useradd --system --create-home --home-dir /var/lib/telealarm telealarm \
 && install -d -o telealarm -g telealarm /var/lib/telealarm/prompts \
 && install -d -m 700 -o telealarm -g telealarm /var/lib/telealarm/key
COPY config/docker/telealarm.yml /etc/telealarm/

ENV PATH=/opt/telealarm/bin:$PATH
ENV TELEALARM_CONFIG=/etc/telealarm/telealarm.yml
USER telealarm
WORKDIR /var/lib/telealarm
CMD ["telealarm", "serve"]
