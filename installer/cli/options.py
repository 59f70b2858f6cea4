"""The options that verbs take: each declared once, with the word that stands for its value and its help."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from invoke.tasks import Task, task

from installer.verify.checks import CHECKS


@dataclass(frozen=True)
class Option:
    """An option of the command line.

    Args:
        value: what stands for its value in help; empty for a switch.
        help: what it does.
        repeatable: whether it may be given several times.
        choices: looks up what there is to choose from, for help; not before, as it reads files.
    """

    value: str
    help: str
    repeatable: bool = False
    choices: Callable[[], Iterable[str]] = tuple


def _platforms() -> list[str]:
    from installer.platforms import supported

    return [platform.name for platform in supported()]


def _lab_platforms() -> Iterable[str]:
    from installer.lab.platforms import PLATFORMS

    return PLATFORMS


#: By name without dashes, after its verb where it is another option than other verbs have under that name. A verb takes
#: those that its function's parameters name.
OPTIONS = {
    "answer-file": Option("FILE", "the answer file"),
    "output": Option("FILE", "where to write the file; it must not exist yet"),
    "bundle output": Option("FILE", "where to write the bundle; what one that is there has is not fetched again"),
    "bundle platform": Option("PLATFORM", "what hosts run; no host is asked then", repeatable=True, choices=_platforms),
    "bundle tempest": Option("", "put OpenStack's own test suite in, too, for this machine's Python"),
    "bundle": Option("FILE", "take Python distributions out of a bundle; no package index is asked"),
    "from": Option("OLD", "carry over what an older answer file says, Packstack's of any release or pystack's"),
    "hosts": Option("A,B,C", "generate an answer file for these hosts: the first controls, the others compute"),
    "allinone": Option("", "generate an answer file that puts everything on this machine"),
    "lab": Option("", "make a throw-away host on this machine, and install onto that (needs root)"),
    "set": Option("KEY=VALUE", "set a parameter in place of what the answer file says", repeatable=True),
    "limit": Option(
        "HOST", "change only this host of the answer file; all others must be reachable, too", repeatable=True
    ),
    "only": Option(
        "NAME", f"make this check alone, one of {', '.join(check.name for check in CHECKS)}", repeatable=True
    ),
    "keep": Option("", "leave in the cloud what the checks made, and say how to log in to the instances"),
    "tempest": Option(
        "", "run the smoke set of OpenStack's own test suite, Tempest, too: many minutes, hours on a slow host"
    ),
    "yes": Option("", "ask nothing"),
    "quiet": Option("", "print nothing but errors"),
    "json": Option("", "print every event as a line of JSON"),
    "run": Option("RUN", "show one run: its name, the end of its name, or 'last'"),
    "name": Option("NAME", "a lab host", repeatable=True),
    "platform": Option("PLATFORM", "what the host is to run", choices=_platforms),
    "lab-up platform": Option("PLATFORM", "what the lab hosts run", choices=_lab_platforms),
    "kernel": Option("KIND", "the kernel of the lab hosts: shared (this machine's; the default) or own"),
    "disk": Option("GIB", "an empty disk of that size beside the first; own kernel only", repeatable=True),
    "selinux": Option("STATE", "boot with SELinux disabled, permissive or enforcing; own kernel only"),
    "memory": Option("MIB", "memory of each lab host, 2048 by default; own kernel only"),
    "host": Option("HOST", "the host to be installed, as the answer file names it"),
    "system-disk": Option("DEVICE", "the disk to install on, such as /dev/sda; all that is on it is lost"),
    "volumes-disk": Option("DEVICE", "the disk for the volume group; all that is on it is lost"),
    "gateway": Option(
        "ADDRESS/24", "gateway and prefix length, for the fixed address that the answer file gives; without it DHCP"
    ),
    "nameserver": Option("ADDRESS", "a name server, with --gateway", repeatable=True),
    "interface": Option("NAME", "the network interface; without it the first that has a link"),
    "mirror": Option("URL", "where packages come from, on a site without a way to the distribution's own mirrors"),
    "purge": Option("", "remove the cached images as well"),
}

#: What a bare word after a verb stands for.
BARE_WORDS = {
    "generate": "output",
    "validate": "answer-file",
    "bundle": "answer-file",
    "preflight": "answer-file",
    "plan": "answer-file",
    "install": "answer-file",
    "verify": "answer-file",
    "kickstart": "answer-file",
    "status": "run",
    "lab-up": "name",
    "lab-down": "name",
    "lab-shell": "name",
}


def option(verb: str, name: str) -> Option:
    """Return an option, by its name without dashes, as a verb has it; KeyError for an unknown one."""
    return OPTIONS.get(f"{verb} {name}") or OPTIONS[name]


def verb(function: Callable[..., int | None]) -> Task[Any]:
    """Make a function a verb: its docstring is the help, its parameters after the first are options (see OPTIONS)."""
    names = {parameter: parameter.strip("_").replace("_", "-") for parameter in list(function.__annotations__)[1:]}
    names.pop("return", None)
    called = function.__name__.replace("_", "-")
    repeatable = [parameter for parameter, name in names.items() if option(called, name).repeatable]
    return cast("Task[Any]", task(function, auto_shortflags=False, iterable=repeatable))
