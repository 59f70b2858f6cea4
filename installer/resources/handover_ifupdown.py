"""Handing an interface over to a bridge where Debian's ifupdown looks after it: see interfaces(5)."""

from __future__ import annotations

import glob
import re
from typing import Dict, Mapping, Sequence

from installer.agent.host import Host
from installer.resources.base import CannotFix
from installer.resources.handover import Handover, head

TITLE = "ifupdown"
UNIT = "networking.service"
MAIN = "/etc/network/interfaces"
FOLDER = "/etc/network/interfaces.d"
FILE = f"{FOLDER}/pystack-{{}}"

_STANZA = re.compile(r"\s*(auto|allow-\S+|iface|mapping|source|source-directory|no-auto-down|no-scripts|rename)\b")


def looks_after(interface: str, host: Host) -> bool:
    """Tell whether the interface was brought up from here."""
    told = host.run(["ifquery", "--state"], expect=None, timeout=10).out
    return any(line.partition("=")[0] == interface for line in told.splitlines())


def plan(
    interface: str,
    bridge: str,
    addresses: Sequence[str],
    host: Host,  # noqa: ARG001 - the same for all that look after interfaces
) -> Handover:
    """Return the handover of an interface.

    Args:
        interface: the interface.
        bridge: the bridge.
        addresses: what moves; nothing: the bridge is left to itself.
        host: the host.

    Raises:
        CannotFix: what configures it cannot be found.
    """
    texts: Dict[str, str] = {}
    for path in [MAIN, *sorted(glob.glob(f"{FOLDER}/*"))]:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            texts[path] = stream.read()
    return way(interface, bridge, texts, bool(addresses))


def way(interface: str, bridge: str, texts: Mapping[str, str], took: bool) -> Handover:
    """Return the handover for the texts of /etc/network/interfaces and of the files beside it, by path.

    Raises:
        CannotFix: the interface has addresses and no stanza, or files beside the main one do not count.
    """
    if not re.search(rf"^\s*source(-directory)?\s+{re.escape(FOLDER)}", texts[MAIN], re.MULTILINE):
        raise CannotFix(f"{MAIN} does not read {FOLDER}; add the line: source {FOLDER}/*")
    files = {path: renamed(text, interface, bridge) for path, text in texts.items() if path != FILE.format(interface)}
    files = {path: text for path, text in files.items() if text != texts[path]}
    if took and not files:
        raise CannotFix(f"{interface} has addresses, and neither {MAIN} nor {FOLDER} says where from")
    files[FILE.format(interface)] = port(interface, bridge, took)
    up, down = ("ifup", "--force"), ("ifdown", "--force")
    return Handover(
        files,
        before=((*down, interface),) if took else (),
        after=((*up, interface), *(((*up, bridge),) if took else ())),
        back_before=((*down, bridge),) if took else (),
        back=((*up, interface),),
    )


def port(interface: str, bridge: str, took: bool) -> str:
    """Return the stanza of a port, which is up and has no address; see ``installer.resources.handover.head``."""
    return (
        f"{head(interface, bridge, took)}\nauto {interface}\niface {interface} inet manual\n"
        f"    up ip link set {interface} up\n"
    )


def renamed(text: str, interface: str, bridge: str) -> str:
    """Return a file in which the stanzas of an interface are those of its bridge."""
    lines, ours = [], False
    for line in text.splitlines(keepends=True):
        words = line.split()
        if _STANZA.match(line):
            ours = words[0] == "iface" and words[1].partition(":")[0] == interface
            if words[0] == "auto" or words[0].startswith("allow-"):
                lines.append(_called(line, words, interface, bridge))
                continue
        lines.append(re.sub(rf"(?<![\w.-]){re.escape(interface)}(?![\w.-])", bridge, line) if ours else line)
    return "".join(lines)


def _called(line: str, words: Sequence[str], interface: str, bridge: str) -> str:
    """Return a line that says when interfaces are brought up, with ours as a bridge, which no cable brings up."""
    mine = [word for word in words[1:] if word.partition(":")[0] == interface]
    if not mine:
        return line
    others = [word for word in words[1:] if word not in mine]
    renamed_ = [bridge + word[len(interface) :] for word in mine]
    kept = f"{words[0]} {' '.join(others)}\n" if others else ""
    return f"{kept}auto {' '.join(renamed_)}\n"
