"""An unchanged re-run of `pystack install`, beside an Ansible playbook that asserts the same; and its round trips."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import delay_proxy
import playbook
import rivals
from lab_cloud import LAB_NOTES, LabCloud, changed, provided
from measure import Taken, measure
from record import SCRATCH, Record, show, tell

TIMES = 3
#: Runs of pystack before, and after, each run of Ansible: one is so short that a moment of quiet would decide.
OWN = 4
WHAT = ("seconds", "controller_cpu_seconds", "host_cpu_seconds")
#: Milliseconds of round trip; the longest makes the slope steady on a busy machine.
DELAYS = (0, 40, 1000)
NOTES = [
    *LAB_NOTES,
    "The playbook is made from pystack's own plan: one task of the fitting module per resource, and the verification's"
    " three questions if an unchanged run of pystack verifies. It asks less in places: not whether a unit runs with"
    " the files as they are now, not what preflight looks at, not how many rights a database account has.",
    "Ansible: pipelining, persistent SSH connections, warm; accounts of the queue are asked of rabbitmqctl, as its own"
    " modules do; pystack asks over AMQP.",
    "A round is one run of Ansible with four of pystack before and four after it; its ratio is Ansible's figure over"
    " the median of those eight, so that what else goes on on the machine meets both. Ratios are medians of rounds.",
    "Processor seconds of the host are those of its control group, its idle services included.",
    "Round trips: the slope of the seconds between the phases connect and install over the delay of a TCP proxy before"
    " the host's sshd, least squares over the best of three at each delay, and one more for the TCP handshake, which"
    " the proxy answers itself. The questions to Keystone's API at the end do not go over SSH and are not in it.",
]


def run(name: str, keep: bool, whole: bool) -> None:
    """Measure, show and keep.

    Args:
        name: of the lab host, made if need be.
        keep: leave it for the next time.
        whole: of the whole cloud, not of the identity service alone.
    """
    record = Record("noop-whole" if whole else "noop")
    rounds = 1 if whole else TIMES
    with provided(name, keep, whole) as cloud:
        cloud.converge()
        tasks, books = _books(cloud)
        if whole:
            # With so many tasks Ansible takes minutes; what it adds by gathering facts is known from the small cloud.
            del books["facts gathered"]
        taken = {book: [_round(cloud, once) for _ in range(rounds)] for book, once in books.items()}
        trips = _round_trips(cloud)
        pieces = _pieces(cloud)
    ratios = {
        book: {what: statistics.median(one["ratios"][what] for one in several) for what in WHAT}
        for book, several in taken.items()
    }
    show(
        f"unchanged re-run, {tasks} tasks: medians of {rounds} rounds, in times of what pystack took before and after",
        ["Ansible", "pystack s", "Ansible s", *(f"times {what.replace('_', ' ')}" for what in WHAT)],
        [
            [
                book,
                *(statistics.median(one[tool]["seconds"] for one in several) for tool in ("pystack", "ansible")),
                *ratios[book].values(),
            ]
            for book, several in taken.items()
        ],
    )
    show("where pystack's time goes", ["part", "seconds"], [[name, value] for name, value in pieces.items()])
    show(
        "seconds between connect and install by delay of the link",
        ["ms", "seconds"],
        [[delay, seconds] for delay, seconds in trips["seconds_by_delay"].items()],
    )
    tell(f"round trips: {trips['round_trips']:.1f}")
    record.write(
        {
            "tasks": tasks,
            "ansible": rivals.version("ansible"),
            "ratios": ratios,
            "rounds": taken,
            "pystack_parts": pieces,
            **trips,
            "notes": NOTES,
        }
    )


def _books(cloud: LabCloud) -> tuple[int, dict[str, Callable[[], Taken]]]:
    """Return the number of the playbook's tasks, and what runs it once, having shown that nothing changes."""
    authority = cloud.home / ".config" / "pystack" / cloud.host.address / "ca.crt"
    tasks = playbook.tasks_of(cloud.plan())
    cloud.pystack("install")
    if "verify" in _moments(cloud.events()):
        tasks += playbook.verification(cloud.load(), str(authority))
    host = cloud.host
    tool = rivals.Ansible(
        SCRATCH / "ansible-noop",
        {
            host.address: {
                "ansible_user": host.user,
                "ansible_ssh_private_key_file": str(host.private_key),
                "ansible_ssh_common_args": f"-o UserKnownHostsFile={host.known_hosts} -o IdentitiesOnly=yes",
                "ansible_python_interpreter": "/usr/bin/python3",
            }
        },
    )
    books = {name: tool.playbook(f"{name}.yaml", tasks, facts) for name, facts in (("bare", False), ("facts", True))}
    tell("the playbook must find nothing to change")
    said = measure(books["bare"], tool.environment).output
    if "changed=0" not in said:
        raise SystemExit(f"the playbook does not assert what pystack made:\n{said[-4000:]}")
    if changed_by_pystack(cloud):
        raise SystemExit("pystack changes what the playbook left")
    return len(tasks), {
        "facts gathered": lambda: measure(books["facts"], tool.environment, watch=False),
        "no facts": lambda: measure(books["bare"], tool.environment, watch=False),
    }


def changed_by_pystack(cloud: LabCloud) -> int:
    """Run pystack once more and return how much it changed."""
    cloud.pystack("install")
    return changed(cloud.events())


def _round(cloud: LabCloud, once: Callable[[], Taken]) -> dict[str, dict[str, float]]:
    """Run Ansible once between runs of pystack, and return what both took, and Ansible's in times of pystack's."""
    several = [_took(cloud, lambda: cloud.pystack("install")) for _ in range(OWN)]
    other = _took(cloud, once)
    several += [_took(cloud, lambda: cloud.pystack("install")) for _ in range(OWN)]
    own = {what: statistics.median(one[what] for one in several) for what in WHAT}
    tell(f"pystack {own['seconds']:.2f} s, Ansible {other['seconds']:.2f} s")
    return {"pystack": own, "ansible": other, "ratios": {what: other[what] / own[what] for what in WHAT}}


def _took(cloud: LabCloud, once: Callable[[], Taken]) -> dict[str, float]:
    before = cloud.host_cpu_seconds()
    taken = once()
    host = cloud.host_cpu_seconds() - before
    return dict(zip(WHAT, (taken.seconds, taken.cpu_seconds, host), strict=True))


def _round_trips(cloud: LabCloud) -> dict[str, Any]:
    seconds: dict[int, float] = {}
    for delay in DELAYS:
        with delay_proxy.delayed((cloud.host.address, 22), delay / 1000) as port:
            cloud.reached_at(port)
            seconds[delay] = min(_between_phases(cloud) for _ in range(TIMES))
        tell(f"{delay} ms: {seconds[delay]:.2f} s")
    cloud.reached_at(None)
    slope = statistics.linear_regression([delay / 1000 for delay in seconds], list(seconds.values())).slope
    return {"round_trips": slope + 1, "seconds_by_delay": seconds}


def _between_phases(cloud: LabCloud) -> float:
    cloud.pystack("install")
    moments = _moments(cloud.events())
    return moments["install"] - moments["connect"]


def _pieces(cloud: LabCloud) -> dict[str, float]:
    """Return where the wall time of one run goes; the best of three."""
    found = []
    for _ in range(TIMES):
        taken = cloud.pystack("install")
        events = cloud.events()
        at = _moments(events)
        end = datetime.fromisoformat(events[-1]["at"]).timestamp()
        verified = {"verification": end - at["verify"]} if "verify" in at else {}
        parts = {
            "connect, agent, facts and probes": at["preflight"] - at["connect"],
            "judging, plan and all queries": at["install"] - at["preflight"],
            **verified,
        }
        found.append({"start, imports, answer file, end": taken.seconds - sum(parts.values()), **parts})
    return min(found, key=lambda parts: sum(parts.values()))


def _moments(events: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return when each phase began."""
    return {
        event["name"]: datetime.fromisoformat(event["at"]).timestamp() for event in events if event["event"] == "phase"
    }
