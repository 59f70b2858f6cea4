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
from measure import Taken, best, measure
from record import SCRATCH, Record, show, tell

TIMES = 3
#: Runs of pystack per round: one is so short that a moment of quiet, or of noise, would decide.
OWN = 5
#: Milliseconds of round trip; the longest makes the slope steady on a busy machine.
DELAYS = (0, 40, 400)
NOTES = [
    *LAB_NOTES,
    "The playbook is made from pystack's own plan: one task of the fitting module per resource, and the verification's"
    " three questions if an unchanged run of pystack verifies. It asks less in places: not whether a unit runs with"
    " the files as they are now, not what preflight looks at, not how many rights a database account has.",
    "Ansible: pipelining, persistent SSH connections, warm; accounts of the queue are asked of rabbitmqctl, as its own"
    " modules do; pystack asks over AMQP.",
    "Each figure is the best of three rounds, the tools in turn, so that what else goes on on the machine meets all of"
    " them; pystack's in a round is the median of five runs, so that no moment of quiet decides.",
    "Round trips: the slope of the seconds between the phases connect and install over the delay of a TCP proxy before"
    " the host's sshd, least squares over the best of three at each delay, and one more for the TCP handshake, which"
    " the proxy answers itself. The questions to Keystone's API at the end do not go over SSH and are not in it.",
]


def run(name: str, keep: bool) -> None:
    """Measure, show and keep.

    Args:
        name: of the lab host, made if need be.
        keep: leave it for the next time.
    """
    record = Record("noop")
    with provided(name, keep) as cloud:
        cloud.converge()
        tasks, commands = _commands(cloud)
        taken = _in_turn(commands)
        trips = _round_trips(cloud)
        pieces = _pieces(cloud)
    fastest = {tool: best(several) for tool, several in taken.items()}
    own = fastest["pystack"].seconds
    figures: list[dict[str, Any]] = [
        {"tool": tool, **one.figures(), "all_seconds": [run.seconds for run in taken[tool]]}
        for tool, one in fastest.items()
    ]
    ratios = {tool: one.seconds / own for tool, one in fastest.items() if tool != "pystack"}
    show(
        f"unchanged re-run, {tasks} tasks or resources and questions",
        ["tool", "seconds", "controller CPU s", "times pystack's"],
        [[one["tool"], one["seconds"], one["cpu_seconds"], one["seconds"] / own] for one in figures],
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
            "runs": figures,
            "ratios": ratios,
            "pystack_parts": pieces,
            **trips,
            "notes": NOTES,
        }
    )


def _commands(cloud: LabCloud) -> tuple[int, dict[str, Callable[[], Taken]]]:
    """Return the number of the playbook's tasks, and what runs each tool once, having shown that nothing changes."""
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
        "pystack": lambda: cloud.pystack("install"),
        "ansible, facts gathered": lambda: measure(books["facts"], tool.environment, watch=False),
        "ansible, no facts": lambda: measure(books["bare"], tool.environment, watch=False),
    }


def changed_by_pystack(cloud: LabCloud) -> int:
    """Run pystack once more and return how much it changed."""
    cloud.pystack("install")
    return changed(cloud.events())


def _in_turn(commands: dict[str, Callable[[], Taken]]) -> dict[str, list[Taken]]:
    taken: dict[str, list[Taken]] = {tool: [] for tool in commands}
    for number in range(TIMES):
        for tool, once in commands.items():
            several = sorted((once() for _ in range(OWN if tool == "pystack" else 1)), key=lambda one: one.seconds)
            taken[tool].append(several[len(several) // 2])
            tell(f"{tool}, round {number + 1}: {taken[tool][-1].seconds:.2f} s")
    return taken


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
