"""How cost grows with the number of hosts: 1, 10 and 50 addresses of one sshd, beside Ansible and pyinfra."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import private_sshd
import rivals
import scratch
from measure import Taken, best, measure
from private_sshd import Sshd
from record import SCRATCH, Record, show, tell

Command = tuple[list[str | Path], dict[str, str]]

NOTES = [
    "All addresses are this one machine: its cores do the work of the controller and of every host. Wall time of many"
    " hosts is therefore the sum of all work, not what a controller with that many machines would see.",
    "Wall time holds the start of the interpreter. Processor time is the controller's: its process and the children"
    " it waited for; Ansible's persistent ssh processes are not in it.",
    "Memory is the peak of all of the controller's processes (proportional set size, sampled every 0.5 s, or the"
    " largest resident set of one process if that is more).",
    "pystack looks at every host first (facts, ports, remains), as every run of it does; Ansible gathers no facts.",
    "Re-runs: the best of three where one took less than 20 s, else one run; none after a first run of over 240 s, and"
    " ratios are those of the first run then.",
]
RUNS = ("first", "again")
_QUICK, _SLOW = 20.0, 240.0


def run(counts: Sequence[int], ansible_up_to: int) -> None:
    """Measure, show and keep.

    Args:
        counts: numbers of hosts, growing.
        ansible_up_to: largest number of hosts that Ansible is measured with.
    """
    tools: dict[str, Callable[[Sshd, Path, Sequence[str]], Command]] = {
        "pystack": _pystack,
        "ansible": _ansible,
        "pyinfra": _pyinfra,
    }
    versions = {tool: rivals.version(tool) for tool in tools if tool != "pystack"}
    record = Record("hosts")
    found: list[dict[str, Any]] = []
    for count in counts:
        for tool, command in tools.items():
            if tool == "ansible" and count > ansible_up_to:
                continue
            with private_sshd.running(SCRATCH / "sshd", count) as sshd:
                found.append({"hosts": count, "tool": tool, **_both(tool, command, sshd)})
    shutil.rmtree(SCRATCH / "roots")
    measured = {(one["tool"], one["hosts"]) for one in found}
    ratios = [_ratio(found, count, tool) for count in counts for tool in versions if (tool, count) in measured]
    growth = [_growth(found, tool, counts[-2:]) for tool in tools if (tool, counts[-1]) in measured]
    _show(found, ratios, growth)
    record.write(
        {
            "content": {"resources": scratch.RESOURCES, "files": scratch.DIRECTORIES * scratch.FILES_EACH},
            "versions": versions,
            "runs": found,
            "ratios": ratios,
            "growth": growth,
            "notes": NOTES,
        }
    )


def _both(tool: str, command: Callable[[Sshd, Path, Sequence[str]], Command], sshd: Sshd) -> dict[str, Any]:
    root = SCRATCH / "roots" / tool
    shutil.rmtree(root, ignore_errors=True)
    for address in sshd.addresses:
        (root / address).mkdir(parents=True)
    argv, env = command(sshd, root, sshd.addresses)
    tell(f"{tool} on {len(sshd.addresses)} hosts: first run")
    first = measure(argv, env)
    _check(root, sshd.addresses)
    tell(f"{tool}: {first.seconds:.1f} s; the same again")
    if first.seconds > _SLOW:
        return {"first": first.figures()}
    again = [measure(argv, env)]
    while again[0].seconds < _QUICK and len(again) < 3:
        again.append(measure(argv, env))
    _check_unchanged(tool, again[0])
    return {"first": first.figures(), "again": best(again).figures()}


def _check(root: Path, addresses: Sequence[str]) -> None:
    """Stop unless the content is there: a tool that did nothing would be quick."""
    for address in addresses:
        for directory in scratch.directories(f"{root}/{address}"):
            link, target = scratch.link(directory)
            assert Path(link).readlink() == Path(target), link
            for path, content in scratch.files(directory).items():
                assert Path(path).read_text() == content, path


def _check_unchanged(tool: str, taken: Taken) -> None:
    said = taken.output
    fine = {
        "pystack": said.split()[-1] == "0",
        "ansible": "changed=0" in said and not any(f"changed={digit}" in said for digit in range(1, 10)),
        "pyinfra": "No changes" in said or "Changed" not in said,
    }
    if not fine[tool]:
        raise SystemExit(f"{tool} changed something in a re-run:\n{said[-3000:]}")


def _pystack(sshd: Sshd, root: Path, addresses: Sequence[str]) -> Command:
    program = Path(__file__).with_name("scratch_run.py")
    login: list[str | Path] = ["--port", str(sshd.port), "--key", sshd.key, "--known-hosts", sshd.known_hosts]
    argv: list[str | Path] = [sys.executable, program, root, *login, *addresses]
    return argv, {}


def _ansible(sshd: Sshd, root: Path, addresses: Sequence[str]) -> Command:
    common = {
        "ansible_port": sshd.port,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(sshd.key),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={sshd.known_hosts} -o IdentitiesOnly=yes",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    tool = rivals.Ansible(SCRATCH / "ansible-run", dict.fromkeys(addresses, common))
    here = f"{root}/{{{{ inventory_hostname }}}}"
    tasks: list[dict[str, Any]] = []
    for directory in scratch.directories(here):
        path, target = scratch.link(directory)
        tasks.append({"file": {"path": directory, "state": "directory"}})
        tasks += [{"copy": {"dest": name, "content": text}} for name, text in scratch.files(directory).items()]
        tasks.append({"file": {"path": path, "src": target, "state": "link"}})
    return tool.playbook("scratch.yaml", tasks, facts=False), tool.environment


def _pyinfra(sshd: Sshd, root: Path, addresses: Sequence[str]) -> Command:
    folder = SCRATCH / "pyinfra-run"
    folder.mkdir(parents=True, exist_ok=True)
    login = {
        "ssh_user": "root",
        "ssh_port": sshd.port,
        "ssh_key": str(sshd.key),
        "ssh_known_hosts_file": str(sshd.known_hosts),
        "ssh_strict_host_key_checking": "yes",
        "ssh_look_for_keys": False,
        "ssh_allow_agent": False,
    }
    (folder / "inventory.py").write_text(f"hosts = ({list(addresses)!r}, {login!r})\n")
    (folder / "deploy.py").write_text(
        "import io, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import scratch\n"
        "from pyinfra import host\n"
        "from pyinfra.operations import files\n"
        f"for directory in scratch.directories({str(root)!r} + '/' + host.name):\n"
        "    files.directory(path=directory)\n"
        "    for path, content in scratch.files(directory).items():\n"
        "        files.put(src=io.StringIO(content), dest=path)\n"
        "    path, target = scratch.link(directory)\n"
        "    files.link(path=path, target=target)\n"
    )
    program = rivals.provide("pyinfra") / "pyinfra"
    return [program, "-y", folder / "inventory.py", folder / "deploy.py"], {}


def _ratio(found: Sequence[dict[str, Any]], count: int, tool: str) -> dict[str, Any]:
    own, other = (
        next(one for one in found if one["hosts"] == count and one["tool"] == name) for name in ("pystack", tool)
    )
    return {
        "hosts": count,
        "tool": tool,
        **{f"{run}_{what}": other[run][what] / own[run][what] for run in other if run in RUNS for what in own[run]},
    }


def _growth(found: Sequence[dict[str, Any]], tool: str, counts: Sequence[int]) -> dict[str, Any]:
    """Return cost per host of the most hosts over that of fewer, the constant part left out of neither."""
    by_count = {one["hosts"]: one for one in found if one["tool"] == tool}
    few, many = counts[-2], counts[-1]
    grown: dict[str, Any] = {"tool": tool, "from": few, "to": many}
    for run_name in [name for name in RUNS if all(name in by_count[count] for count in (few, many))]:
        for what in ("seconds", "cpu_seconds", "memory_mib"):
            per_host = [by_count[count][run_name][what] / count for count in (few, many)]
            grown[f"{run_name}_{what}"] = per_host[1] / per_host[0]
    return grown


def _show(found: Sequence[dict[str, Any]], ratios: Sequence[dict[str, Any]], growth: Sequence[dict[str, Any]]) -> None:
    def per_host(one: dict[str, Any]) -> list[Any]:
        count = one["hosts"]
        cells: list[Any] = [count, one["tool"]]
        for name in RUNS:
            taken = one.get(name)
            cells += (
                [taken["seconds"], 1000 * taken["cpu_seconds"] / count, taken["memory_mib"] / count]
                if taken
                else ["-"] * 3
            )
        return cells

    show(
        f"{scratch.RESOURCES} resources per host: first run and unchanged re-run, all hosts on this machine",
        ["hosts", "tool", "first s", "CPU ms/host", "MiB/host", "again s", "CPU ms/host", "MiB/host"],
        [per_host(one) for one in found],
    )
    columns = ["first_seconds", "again_seconds", "again_cpu_seconds", "again_memory_mib"]
    show(
        "times of pystack's figure",
        ["hosts", "tool", "first s", "again s", "again CPU", "again memory"],
        [[one["hosts"], one["tool"], *(one.get(key, "-") for key in columns)] for one in ratios],
    )
    show(
        "growth: cost per host at the most hosts over that at fewer (1 is linear, less is better)",
        ["tool", "from", "to", "first s", "again s", "again CPU", "again memory"],
        [[one["tool"], one["from"], one["to"], *(one.get(key, "-") for key in columns)] for one in growth],
    )
