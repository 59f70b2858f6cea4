"""What a command does with a cloud: connect, preflight, plan, install, verify. The facade that the CLI drives."""

from __future__ import annotations

import dataclasses
import getpass
import importlib
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from installer import admin_files, inventory, journal, preflight, proxies, tls
from installer.answers import Answers
from installer.bundle.from_hosts import DownloadingHost
from installer.bundle.needs import environments, packages
from installer.bundle.opening import Bundle
from installer.cloud import Cloud, CloudHost
from installer.engine import scheduler
from installer.engine.results import all_results
from installer.engine.session import AgentSession
from installer.errors import HostUnreachable, PreflightRefused, UsageError
from installer.outcome import Change, Event, Finding, Listener, RoleResult, Summary, Verdict
from installer.plan import Step, build
from installer.platforms import Platform, supported_titles
from installer.preflight import account_checks
from installer.resources.built_module import BuiltModule
from installer.resources.virtual_environment import VirtualEnvironment
from installer.roles import all_roles
from installer.transport import Connection
from installer.transport.python import PythonMissing, install_python
from installer.verify.checks import CHECKS, Check
from installer.volume_groups import compared
from installer.wheels.environment import Environment
from installer.wheels.giving import Shared

__all__ = ["Change", "Event", "Finding", "Listener", "Operation", "RoleResult", "Summary", "Verdict"]

#: How long a run waits for what an earlier, cut-off run of the same operator still does on a host.
WAIT_FOR_LOCK = 900.0

#: What names of resources begin with that are made of distributions of the package index.
FROM_INDEX = tuple(f"{kind.kind}:" for kind in (VirtualEnvironment, BuiltModule))

Connect = Callable[[str], Connection]


class Survey(NamedTuple):
    """A cloud and, by address, what each host needs.

    Args:
        cloud: the cloud.
        environments: of the package index.
        packages: of its package sources, as ``installer.agent.package_list.would_install`` tells it.
        hosts: the hosts, whose package managers can download those.
    """

    cloud: Cloud
    environments: dict[str, list[Environment]]
    packages: dict[str, dict[str, Any]]
    hosts: dict[str, DownloadingHost]


class Operation:
    """One command's work on a cloud. Use as a context manager: it lets go of all hosts at the end.

    Args:
        answers: the validated answer file.
        connect: returns a connection to a host by its address.
        listen: takes every event of the run.
        run: name of the run, for the host lock.
        limit: addresses; when given, only these hosts are changed.
        may_change: whether this command may change hosts; a host without Python is then given it.
        bundle: takes the place of the package index.
    """

    def __init__(
        self,
        answers: Answers,
        *,
        connect: Connect,
        listen: Listener,
        run: str = "",
        limit: Sequence[str] = (),
        may_change: bool = False,
        bundle: Bundle | None = None,
    ) -> None:
        self._answers = answers
        self._connect = connect
        self._listen = listen
        self._run = run
        self._hosts = inventory.hosts(answers)
        self._limit = _limited(self._hosts, limit)
        self._may_change = may_change
        self._roles = all_roles()
        self._sessions: dict[str, AgentSession] = {}
        self._importing: Future[ModuleType] | None = None
        self._blobs: dict[str, Path] = {}
        self._bundle = bundle
        self._asks_index = bundle is None
        self._shared = Shared(str(answers["CONFIG_PACKAGE_INDEX"] or ""), self._blobs, listen)
        self._steps: tuple[Step, ...] = ()
        self._cloud: Cloud | None = None
        self._changes: list[Change] | None = None
        self._asked_of_sources: Future[dict[str, Any]] = Future()
        self._sources: dict[str, Future[list[dict[str, str]]]] = {}
        self._reports: dict[str, dict[str, Any]] = {}
        #: Where the admin's files are, once an installation has written them.
        self.admin_folder: Path | None = None

    def __enter__(self) -> Operation:
        return self

    def __exit__(self, *exception: object) -> None:
        self._shared.close()
        for session in list(self._sessions.values()):
            session.close()

    def preflight(self) -> list[Finding]:
        """Look at all hosts at once, changing nothing, and return what was found, failures first.

        A command that may change hosts compares them as well, and where nothing differs, nothing will be downloaded:
        then package sources are not waited for.

        Raises:
            HostUnreachable: a host cannot be reached or refuses the login; the message names all such hosts.
        """
        self._look()
        self._listen({"event": "phase", "name": "preflight"})
        cloud = self._seen(write=False)
        findings = preflight.in_order([*preflight.check(cloud, self._roles, self._reports), *self.check_bundle()])
        fit = not any(finding.failed for finding in findings)
        if not (fit and self._may_change) or self.plan(write=True):
            findings = preflight.in_order([*findings, *self._check_sources(fit)])
        for finding in findings:
            self._listen({"event": "finding", **dataclasses.asdict(finding)})
        return findings

    def check_bundle(self) -> list[Finding]:
        """Return for each host whether the bundle has what it needs; nothing where there is no bundle."""
        return self._bundle.check(self._environments(), self._seen(write=False).release) if self._bundle else []

    def _check_sources(self, fit: bool) -> list[Finding]:
        reached, cloud = all_results(self._sources), self._seen(write=False)
        # What is to be installed is known of hosts only on which nothing stands in the way.
        asked = preflight.package_questions(cloud, self._roles, self._reports, reached) if fit else {}
        lacking = {address: self._sessions[address].lacking(**question) for address, question in asked.items()}
        # A host without a way to the index gets what it needs from here, if there is one here.
        self._shared.on = preflight.lack_index(reached) and self._shared.reaches()
        found = preflight.check_sources(reached, sent=self._shared.on)
        return [*found, *preflight.check_packages(cloud, all_results(lacking))]

    def plan(self, write: bool = False) -> list[Change]:
        """Compare all hosts with the plan, once, and return what would change.

        Args:
            write: keep the certificates that had to be made; without it they are made in memory only.

        Raises:
            PreflightRefused: a host runs what pystack does not install on.
        """
        if self._changes is not None:
            return self._changes
        self._look()
        cloud = self._seen(write)
        _refuse_foreign(cloud.hosts)
        self._listen({"event": "phase", "name": "plan"})
        self._steps = tuple(step for step in build(cloud, self._roles) if step.host in self._limit)
        for role in self._roles:
            self._blobs.update(role.blobs(cloud))
        waiting = {
            address: session.plan({step.name: list(step.resources) for step in self._steps if step.host == address})
            for address, session in self._sessions.items()
            if address in self._limit
        }
        found = all_results(waiting)
        self._changes = [
            Change(address, change["step"], change["resource"], change["action"], change["lines"])
            for address, changes in found.items()
            for change in changes
        ]
        return self._changes

    def platforms(self) -> dict[str, Platform]:
        """Return what each host runs, by address."""
        self._look()
        return {host.address: host.platform for host in self._seen(write=False).hosts}

    def install(self) -> Summary:
        """Bring all hosts to the plan: nothing is done where nothing differs.

        Raises:
            HostUnreachable: a host cannot be reached.
            PreflightRefused: another installer holds a host's lock.
        """
        begun = time.monotonic()
        changes = self.plan(write=True)
        self._listen({"event": "phase", "name": "install", "changes": len(changes), "steps": len(self._steps)})
        if changes:
            lacking = {change.host for change in changes if change.resource.startswith(FROM_INDEX)}
            self._shared.on = self._shared.on or len(lacking) > 1
            # The clients of the verification take long to import: that is done while the hosts are at work.
            with_one = ThreadPoolExecutor(max_workers=1)
            self._importing = with_one.submit(importlib.import_module, "installer.verify.looking")
            with_one.shutdown(wait=False)
            owner = f"{getpass.getuser()}@{socket.gethostname()}"
            all_results(
                {address: self._sessions[address].lock(owner, self._run, WAIT_FOR_LOCK) for address in self._limit}
            )
            results = scheduler.run(self._steps, self._apply, self._listen)
        else:
            results = [RoleResult(step.host, step.name, "converged", (), len(step.resources)) for step in self._steps]
        summary = Summary(tuple(results), time.monotonic() - begun)
        if not summary.failed:
            self.admin_folder = admin_files.write(self._seen(write=False))
        return summary

    def verify(self, checks: Sequence[Check] = CHECKS, keep: bool = False) -> list[Verdict]:
        """Look at the live cloud from outside and return what was found.

        Args:
            checks: what to look at.
            keep: leave what was made in the cloud for it.

        Raises:
            AnswerFileError: the cloud's authority is not on this machine.
        """
        tls.need_authority(self._answers)
        verify = self._clients()
        self._listen({"event": "phase", "name": "verify"})
        cloud = Cloud(self._answers, self._hosts, tls.prepare(self._answers, self._hosts, write=False))
        verdicts: list[Verdict] = verify.look(
            self._answers,
            self._hosts,
            cloud.certificates,
            checks=checks,
            keep=keep,
            connect=self._connect,
            listen=self._listen,
            folder=admin_files.folder(cloud),
            records=journal.base() / self._run,
            asks_index=self._asks_index,
        )
        return verdicts

    def _clients(self) -> ModuleType:
        """Return what verifies. Its clients take long to import: an installation does that while the hosts answer."""
        if self._importing is not None:
            # Two threads that import modules which import each other may each see half of one.
            wait([self._importing])
        return importlib.import_module("installer.verify")

    def _apply(self, step: Step) -> Future[dict[str, Any]]:
        return self._sessions[step.host].apply(step.name)

    def _look(self) -> None:
        if self._reports:
            return
        self._listen({"event": "phase", "name": "connect"})
        # What takes this machine a while is done while the hosts answer.
        pool = ThreadPoolExecutor(max_workers=2 + min(64, len(self._hosts)))
        try:
            self._asked_of_sources = pool.submit(preflight.source_questions, self._answers, index=self._asks_index)
            looking = {host.address: pool.submit(self._look_at, host.address) for host in self._hosts}
            self._reports = all_results(looking)
        finally:
            # After Ctrl-C nobody waits for hosts that do not answer, or for a password that is not typed in.
            pool.shutdown(wait=False, cancel_futures=True)

    def _look_at(self, address: str) -> dict[str, Any]:
        self._listen({"event": "host", "host": address, "what": "connecting"})
        try:
            connection = self._connect(address)
            try:
                report = self._ask(connection)
            except PythonMissing:
                if not self._may_change or address not in self._limit:
                    raise
                self._listen({"event": "progress", "host": address, "step": "python", "text": "installing Python 3"})
                install_python(connection)
                report = self._ask(connection)
        except HostUnreachable:
            self._listen({"event": "host", "host": address, "what": "unreachable"})
            raise
        self._listen({"event": "host", "host": address, "what": "connected"})
        return report

    def _ask(self, connection: Connection) -> dict[str, Any]:
        wheels = self._shared if self._bundle is None else self._bundle.wheels
        session = AgentSession(connection, self._listen, self._blobs, wheels)
        self._sessions[connection.address] = session
        host = next(host for host in self._hosts if host.address == connection.address)
        looking = session.probe(preflight.questions(self._answers, self._hosts, self._roles, host))
        self._sources[connection.address] = session.sources(self._asked_of_sources.result())
        report = looking.result()
        report["clock_ahead"] = report["time"] - time.time()
        return report

    def untouched(self) -> list[Finding]:
        """Return whether the volume groups that storage hosts had before this command are as they were."""
        question = {"only": True, "volume_groups": {"devices": [], "place": "/"}}
        had = [
            host.address
            for host in self._hosts
            if "storage" in host.groups and host.address in self._limit and self._volume_groups(host.address)
        ]
        now = all_results({address: self._sessions[address].probe(question) for address in had})
        return [
            finding
            for address, report in now.items()
            for finding in compared(address, self._volume_groups(address), report["volume_groups"])
        ]

    def survey(self) -> Survey:
        """Look at all hosts, changing nothing, and return what they need.

        Raises:
            HostUnreachable: a host cannot be reached.
            PreflightRefused: a host runs what pystack does not install on.
        """
        self._asks_index = False
        self._look()
        cloud = self._seen(write=False)
        _refuse_foreign(cloud.hosts)
        steps = build(cloud, self._roles)
        through = {name: value.reveal() for name, value in proxies.environment(self._answers)}
        self._listen({"event": "phase", "name": "survey"})
        needed = {address: packages(step for step in steps if step.host == address) for address in self._sessions}
        asked = {
            address: session.packages(**vars(needed[address]), proxies=through)
            for address, session in self._sessions.items()
        }
        told = all_results(asked)
        hosts = {
            address: DownloadingHost(session, needed[address].repositories, through, told[address])
            for address, session in self._sessions.items()
        }
        return Survey(cloud, self._environments(), told, hosts)

    def _environments(self) -> dict[str, list[Environment]]:
        cloud = self._seen(write=False)
        machines = {address: report["facts"]["architecture"] for address, report in self._reports.items()}
        known = [host for host in cloud.hosts if host.platform.supported]
        return {host.address: environments(cloud, self._roles, host, machines[host.address]) for host in known}

    def _volume_groups(self, address: str) -> list[dict[str, Any]]:
        """Return the volume groups that a host had before this command."""
        groups: list[dict[str, Any]] = self._reports[address].get("volume_groups", {}).get("groups", [])
        return groups

    def _resolved(self, name: str) -> list[str]:
        """Return the addresses that a host's name means to the hosts of the cloud."""
        answers = [report.get("names", {}).get(name, {}) for report in self._reports.values()]
        return sorted({address for answer in answers for address in answer.get("addresses", ())})

    def _seen(self, write: bool) -> Cloud:
        """Return the cloud with what was seen on its hosts."""
        hosts = tuple(
            dataclasses.replace(
                host,
                facts={
                    **self._reports[host.address]["facts"],
                    "resolved": self._resolved(host.address),
                    "volume_groups": self._volume_groups(host.address),
                },
                platform=Platform.from_os_release(self._reports[host.address]["facts"]["os_release"]),
            )
            for host in self._hosts
        )
        if self._cloud is None or write:
            cloud = admin_files.with_demo_key(
                Cloud(self._answers, hosts, tls.prepare(self._answers, hosts, write)), write
            )
            self._cloud = account_checks.numbered(cloud, self._roles, self._reports)
        return self._cloud


def _refuse_foreign(hosts: Sequence[CloudHost]) -> None:
    foreign = [f"{host.address}: {host.platform}" for host in hosts if not host.platform.supported]
    if foreign:
        raise PreflightRefused(
            "pystack does not install on what these hosts run:\n  " + "\n  ".join(foreign),
            f"use hosts with one of: {supported_titles()}",
        )


def _limited(hosts: Sequence[CloudHost], limit: Sequence[str]) -> frozenset[str]:
    known = {host.address for host in hosts}
    unknown = [address for address in limit if address not in known]
    if unknown:
        raise UsageError(
            f"--limit names {', '.join(unknown)}, which the answer file does not",
            f"hosts of the answer file: {', '.join(sorted(known))}",
        )
    return frozenset(limit or known)
