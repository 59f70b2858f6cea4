"""pystack on the scratch content, through its engine: what `pystack install` does between answer file and report.

Run by bench/hosts: connects to all addresses at once, looks at each host, compares, takes the lock where something
differs, and applies step by step. Prints the number of changes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import scratch

from installer.engine import scheduler
from installer.engine.session import AgentSession
from installer.plan import Step
from installer.resources.base import Resource
from installer.resources.file import Directory, File, Symlink
from installer.transport import Connection, Stream
from installer.transport.connect import connect
from installer.transport.login import Login


class OwnRun:
    """A connection whose commands see a /run of their own: the host lock is there, and all hosts are one machine."""

    def __init__(self, connection: Connection) -> None:
        self.address = connection.address
        self._connection = connection

    def start(self, argv: Sequence[str]) -> Stream:
        """Start a command as root."""
        own = 'mount -t tmpfs pystack-bench /run && exec "$@"'
        return self._connection.start(["unshare", "--mount", "sh", "-c", own, "sh", *argv])

    def close(self) -> None:
        """Let go of the host."""
        self._connection.close()


def steps_of(address: str, root: str) -> list[Step]:
    """Return a host's plan: one step per directory, each after the one before."""
    steps: list[Step] = []
    for number, directory in enumerate(scratch.directories(f"{root}/{address}")):
        path, target = scratch.link(directory)
        resources: list[Resource] = [Directory(directory)]
        resources += [File(name, content) for name, content in scratch.files(directory).items()]
        resources.append(Symlink(path, target))
        needs = frozenset({steps[-1].key}) if steps else frozenset()
        steps.append(Step(address, f"part{number}", tuple(resources), needs))
    return steps


def run(addresses: Sequence[str], root: str, login: Login) -> int:
    """Bring all addresses to the plan and return how many resources changed."""
    steps = [step for address in addresses for step in steps_of(address, root)]

    def look(address: str) -> AgentSession:
        session = AgentSession(OwnRun(connect(address, login)), lambda _event: None, {})
        session.probe({}).result()
        return session

    with ThreadPoolExecutor(max_workers=64) as pool:
        sessions = dict(zip(addresses, pool.map(look, addresses), strict=True))
    own = {address: [step for step in steps if step.host == address] for address in addresses}
    plans = [
        session.plan({step.name: list(step.resources) for step in own[address]})
        for address, session in sessions.items()
    ]
    changes = sum(len(plan.result()) for plan in plans)
    if changes:
        for taken in [session.lock("bench", "bench", 0.0) for session in sessions.values()]:
            taken.result()
        results = scheduler.run(steps, lambda step: sessions[step.host].apply(step.name), lambda _event: None)
        assert all(result.outcome == "converged" for result in results), results
    for session in sessions.values():
        session.close()
    return changes


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("root")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--known-hosts", type=Path, required=True)
    parser.add_argument("addresses", nargs="+")
    given = parser.parse_args()
    how = Login(user="root", port=given.port, private_key=(given.key,), known_hosts=(given.known_hosts,), ssh_config=())
    print(run(given.addresses, given.root, how))
