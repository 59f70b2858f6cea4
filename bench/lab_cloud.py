"""A lab host with an identity service, an operator with a home of their own, and the plan that pystack has for it."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measure import Taken, measure
from record import ROOT, SCRATCH, tell

from installer import answers, inventory, journal, lab, preflight, tls
from installer.answers import Answers
from installer.cli.connecting import private_key
from installer.cloud import Cloud
from installer.engine.session import AgentSession
from installer.lab import LabHost, keys
from installer.plan import Step, build
from installer.platforms import Platform
from installer.roles import all_roles
from installer.transport.connect import connect
from installer.transport.login import Login
from tests.lab.identity_only import IDENTITY_ONLY

LAB_NOTES = [
    "The host is a systemd-nspawn container of this machine: it shares cores, memory and disk with the controller.",
    "Its file system is an overlay mounted volatile: what is written does not wait for the disk.",
]


class LabCloud:
    """One lab host, its answer file, and pystack as a command.

    Args:
        host: the lab host.
        home: the operator's home: journals, certificates, ~/.ssh/config.
        whole: ask for the whole cloud, not for the identity service alone.
    """

    def __init__(self, host: LabHost, home: Path, whole: bool = False) -> None:
        self.host = host
        self.home = home
        self.answer_file = home / "cloud.txt"
        (home / ".ssh").mkdir(parents=True, exist_ok=True, mode=0o700)
        self.reached_at(None)
        values = {
            **lab.answers([host]),
            **({"CONFIG_VERIFY_INSTANCES": "n"} if whole else IDENTITY_ONLY),
            "CONFIG_SSH_KEY": str(host.private_key),
            "CONFIG_SSL_CERT_DIR": str(home / "certificates"),
        }
        # One of an earlier host at the same address names that one's key.
        known = keys.fingerprint(host.host_key)
        if not self.answer_file.exists() or known not in self.answer_file.read_text():
            self.answer_file.unlink(missing_ok=True)
            answers.write(self.answer_file, answers.generate((), values))

    def reached_at(self, port: int | None) -> None:
        """Have SSH go to a port of this machine instead of the host, for a proxy; None: to the host."""
        by_proxy = f"  HostName 127.0.0.1\n  Port {port}\n" if port else ""
        (self.home / ".ssh" / "config").write_text(f"Host {self.host.address}\n{by_proxy}")

    def pystack(self, verb: str, *words: str, expect: Sequence[int] = (0,)) -> Taken:
        """Run pystack as an installed command, without the launcher that looks for its environment first."""
        argv: list[str | Path] = [sys.executable, ROOT / "pystack", verb, f"--answer-file={self.answer_file}", *words]
        return measure(argv, {"HOME": str(self.home), "XDG_STATE_HOME": "", "XDG_CONFIG_HOME": ""}, expect, watch=False)

    def events(self) -> list[dict[str, Any]]:
        """Return the events of the last run."""
        folder = self.home / ".local" / "state" / "pystack" / "runs"
        last = max(folder.iterdir(), key=lambda path: path.stat().st_mtime)
        return [json.loads(line) for line in (last / journal.EVENTS).read_text().splitlines()]

    def host_cpu_seconds(self) -> float:
        """Return the processor time that the host has had since it was started."""
        words = ["systemctl", "show", "--property=CPUUsageNSec", "--value", "--", "-.slice"]
        return int(self.host.run(words, check=True).stdout) / 1e9

    def load(self) -> Answers:
        """Return the answers."""
        return answers.load(self.answer_file, {})

    def plan(self) -> tuple[Step, ...]:
        """Return the steps that pystack has for the host as it is."""
        loaded = self.load()
        login = Login(
            user=self.host.user,
            private_key=(private_key(self.host.private_key),),
            known_hosts=(self.host.known_hosts,),
            ssh_config=(),
        )
        bare = inventory.hosts(loaded)
        connection = connect(self.host.address, login)
        session = AgentSession(connection, lambda _event: None, {})
        facts = session.probe(preflight.questions(loaded, bare, all_roles(), bare[0])).result()["facts"]
        session.close()
        connection.close()
        platform = Platform.from_os_release(facts["os_release"])
        hosts = tuple(dataclasses.replace(host, facts=facts, platform=platform) for host in bare)
        return build(Cloud(loaded, hosts, tls.prepare(loaded, hosts, write=False)), all_roles())

    def converge(self) -> None:
        """Install until a run changes nothing.

        Raises:
            SystemExit: the third run still changes something.
        """
        for number in range(3):
            tell(f"bringing {self.host.name} to its plan (run {number + 1})")
            self.pystack("install")
            if changed(self.events()) == 0:
                return
        raise SystemExit("the third run still changes something")


def changed(events: Sequence[dict[str, Any]]) -> int:
    """Return how many resources a run changed."""
    return int(next(event["changed"] for event in events if event["event"] == "summary"))


@contextmanager
def provided(name: str, keep: bool, whole: bool = False) -> Iterator[LabCloud]:
    """Yield a lab host of that name, made if need be.

    Args:
        name: of the lab host.
        keep: leave it for the next time.
        whole: for the whole cloud, not for the identity service alone.
    """
    host = {host.name: host for host in lab.hosts()}.get(name) or lab.up([name], report=tell, external=whole)[0]
    host.start()
    try:
        yield LabCloud(host, SCRATCH / ("home-whole" if whole else "home"), whole)
    finally:
        if not keep:
            lab.down([name], tell)
