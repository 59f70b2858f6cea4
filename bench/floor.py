"""What an installation and an unchanged run take at least: the same work, done by hand with nothing around it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from lab_cloud import LabCloud
from record import show, tell

from installer.cli.connecting import private_key
from installer.engine.session import AgentSession
from installer.plan import PACKAGES, Step
from installer.resources.database_schema import DatabaseSchema
from installer.resources.package import Package
from installer.transport.connect import connect
from installer.transport.login import Login
from roles.openstack import role as openstack

TIMES = 3
#: Keeps the daemons of packages from being started, as pystack does.
HELD_BACK = "printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d"
APT = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install"


def unchanged(cloud: LabCloud) -> dict[str, float]:
    """Return the seconds of an unchanged run, and of a connection with one question, the best of three each."""
    cloud.pystack("install")
    runs = min(cloud.pystack("install").seconds for _ in range(TIMES))
    least = min(_one_question(cloud) for _ in range(TIMES))
    show("unchanged run", ["what", "seconds"], [["pystack install", runs], ["a connection and one question", least]])
    return {"seconds": runs, "connection_and_one_question_seconds": least}


def _one_question(cloud: LabCloud) -> float:
    host = cloud.host
    keys = (private_key(host.private_key),)
    login = Login(user=host.user, private_key=keys, known_hosts=(host.known_hosts,), ssh_config=())
    begun = time.monotonic()
    connection = connect(host.address, login)
    session = AgentSession(connection, lambda _event: None, {})
    session.probe({}).result()
    session.close()
    connection.close()
    return time.monotonic() - begun


def of_install(cloud: LabCloud, warm: Callable[[LabCloud], None]) -> dict[str, float]:
    """Return seconds of packages by apt beside the lock by uv, and of all tables side by side; the host is reset.

    Args:
        cloud: installed.
        warm: gives the host the downloads of an earlier installation.
    """
    steps = cloud.plan()
    tables = _tables(cloud, steps)
    tell("the same packages and the same lock by hand")
    cloud.host.reset()
    warm(cloud)
    lock, build = openstack.locks(str(cloud.load()["CONFIG_OPENSTACK_RELEASE"]))
    for path in (openstack.program(), lock, build):
        target = cloud.host.root / "root" / path.name
        target.write_bytes(path.read_bytes())
        target.chmod(0o755)
    items = [item for step in steps if step.name == PACKAGES for item in step.resources]
    packages = sorted({item.package for item in items if isinstance(item, Package) and not item.absent})
    by_apt = f"{HELD_BACK}; apt-get -qq update && {APT} {shlex.join(packages)}"
    by_uv = (
        "export UV_CACHE_DIR=/var/cache/pystack/uv UV_LINK_MODE=hardlink UV_SYSTEM_CERTS=true;"
        " /root/uv -q venv --no-project --python /usr/bin/python3 /opt/by-hand &&"
        " /root/uv -q pip sync --python /opt/by-hand/bin/python --require-hashes"
        f" --build-constraints /root/{build.name} /root/{lock.name}"
    )
    begun = time.monotonic()
    with ThreadPoolExecutor() as pool:
        took = list(pool.map(lambda command: _timed(cloud, command), (by_apt, by_uv)))
    both = time.monotonic() - begun
    found = {
        "seconds": both + tables,
        "packages": took[0],
        "lock": took[1],
        "packages_and_lock": both,
        "tables": tables,
    }
    show("the floor", ["what", "seconds"], [[name.replace("_", " "), value] for name, value in found.items()])
    return found


def _timed(cloud: LabCloud, command: str) -> float:
    begun = time.monotonic()
    cloud.host.run(command, check=True)
    return time.monotonic() - begun


def _tables(cloud: LabCloud, steps: tuple[Step, ...]) -> float:
    """Empty all databases and return the seconds until their tables are there again, all made side by side."""
    schemas = [item for step in steps for item in step.resources if isinstance(item, DatabaseSchema)]
    cloud.host.run("systemctl stop 'openstack-*'; systemctl restart memcached", check=True)
    for schema in schemas:
        make = f"DROP DATABASE {schema.database}; CREATE DATABASE {schema.database} CHARACTER SET utf8mb3"
        cloud.host.run(["mariadb", "--execute", make], check=True)
    commands = dict.fromkeys((item.account, item.argv, item.program) for item in schemas)
    lines = ["set -a; . /etc/pystack/env; set +a"]
    for number, (account, argv, program) in enumerate(commands):
        given = "/dev/null"
        if program:
            given = f"/run/program-{number}"
            cloud.host.run(["tee", given], stdin=program, check=True)
        run = f"runuser --user {account} -- {shlex.join(argv)}"
        lines.append(f'{run} < {given} & all="$all $!"')
    lines.append("for one in $all; do wait $one || exit 1; done")
    tell("the same tables by hand")
    return _timed(cloud, "\n".join(lines))
