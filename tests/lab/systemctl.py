#!/usr/bin/python3
"""`systemctl` for a root folder in which no systemd runs: it starts what a unit says.

It knows daemon-reload, `enable [--now] UNIT`, `restart UNIT` and `stop UNIT`, and of a unit what
ours have. Anything else is an error, so that nothing in them goes unproven.
"""

import os
import pwd
import resource
import shlex
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

UNITS = Path("/etc/systemd/system")
RUNNING = Path("/run/units")
KNOWN = {
    *("User", "Group", "EnvironmentFile", "ExecStart", "ExecStartPost", "StateDirectory"),
    *("StateDirectoryMode", "WorkingDirectory", "UMask", "LimitNOFILE", "NoNewPrivileges"),
    *("PrivateTmp", "ProtectSystem", "Restart", "RestartSec", "TimeoutStopSec"),
}
STOP_SECONDS = 30


def service(name: str) -> dict[str, list[str]]:
    """The values of the unit's [Service], by key."""
    values: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in (UNITS / f"{name}.service").read_text().splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and line[0] not in "#;":
            key, _, value = line.partition("=")
            if key not in KNOWN:
                raise SystemExit(f"systemctl: {name}: {key} is not understood here")
            values[key].append(value)
    return values


def start(name: str) -> None:
    unit = {key: values[-1] for key, values in service(name).items()}
    user = pwd.getpwnam(unit.get("User", "root"))
    if "StateDirectory" in unit:
        folder = Path("/var/lib", unit["StateDirectory"])
        folder.mkdir(exist_ok=True)
        folder.chmod(int(unit["StateDirectoryMode"], 8))
        os.chown(folder, user.pw_uid, user.pw_gid)
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    if "EnvironmentFile" in unit:
        for line in Path(unit["EnvironmentFile"]).read_text().splitlines():
            if line and line[0] not in "#;":
                variable, _, value = line.partition("=")
                environment[variable] = value
    # No more than whoever runs the tests may have; systemd itself has no limit.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = min(int(unit.get("LimitNOFILE", "1024")), most)

    def become() -> None:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        os.umask(int(unit.get("UMask", "0022"), 8))
        if user.pw_uid:
            os.initgroups(user.pw_name, user.pw_gid)
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)

    RUNNING.mkdir(exist_ok=True)
    with (RUNNING / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            shlex.split(unit["ExecStart"]),
            env=environment,
            cwd=unit.get("WorkingDirectory", "/"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=become,
        )
    (RUNNING / f"{name}.pid").write_text(str(child.pid))
    if "ExecStartPost" in unit:
        subprocess.run(shlex.split(unit["ExecStartPost"]), check=True, stderr=subprocess.DEVNULL)


def stop(name: str) -> None:
    file = RUNNING / f"{name}.pid"
    if not file.exists():
        return
    pid = int(file.read_text())
    file.unlink()
    end = time.monotonic() + STOP_SECONDS
    while time.monotonic() < end:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return
        time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)


def main(words: list[str]) -> None:
    match words:
        case ["daemon-reload"]:
            pass
        case ["enable", name]:
            service(name)
        case ["enable", "--now", name] | ["start", name]:
            start(name)
        case ["restart", name]:
            stop(name)
            start(name)
        case ["stop", name]:
            stop(name)
        case _:
            raise SystemExit(f"systemctl: {words} is not understood here")


if __name__ == "__main__":
    main(sys.argv[1:])
