"""The machine's own package sources, turned into those of a lab platform (pure but for `read`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from installer.lab.places import LabRefused, command

# Debian's code names and suite names, to tell its archive from other sources of the machine.
_SUITES = frozenset({"bullseye", "bookworm", "trixie", "forky", "sid", "oldstable", "stable", "testing", "unstable"})
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# What decides whether the archive can be reached and its index is believed on this network.
_CARRIED = re.compile(
    r"(Acquire::(?:http|https|ftp)::(?:Proxy|Timeout)(?:::\S+)?|Acquire::Check-(?:Valid-Until|Date)|Acquire::Retries)"
    r' "(.+)";'
)


@dataclass(frozen=True)
class Source:
    """One package source: an address and the suites taken from it."""

    uri: str
    suites: tuple[str, ...]


def parse_deb822(text: str) -> Iterator[Source]:
    """Yield the enabled binary sources of a ``.sources`` file (sources.list(5), deb822 style)."""
    for stanza in re.split(r"\n[ \t]*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields: dict[str, str] = {}
        key = ""
        for line in lines:
            if line[:1] in (" ", "\t"):
                fields[key] = fields.get(key, "") + " " + line.strip()
            elif ":" in line:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                fields[key] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in (
            "no",
            "false",
        ):
            continue
        for uri in fields.get("uris", "").split():
            yield Source(uri.rstrip("/"), tuple(fields.get("suites", "").split()))


def parse_one_line(text: str) -> Iterator[Source]:
    """Yield the binary sources of a ``sources.list`` file (sources.list(5), one-line style)."""
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)", line)
        if found:
            yield Source(found.group(1).rstrip("/"), (found.group(2),))


def read(etc: Path = Path("/etc/apt")) -> list[Source]:
    """Return all package sources of this machine."""
    sources: list[Source] = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if path.suffix == ".list" and path.is_file():
            sources += parse_one_line(path.read_text())
        elif path.suffix == ".sources" and path.is_file():
            sources += parse_deb822(path.read_text())
    return sources


def sources_for(suite: str, machine: Iterable[Source], endings: Sequence[str] = ("-updates", "-security")) -> str:
    """Return the ``.sources`` text of a lab host: the machine's addresses with another suite.

    Args:
        suite: code name of the lab platform, such as ``trixie``.
        machine: the machine's own sources.
        endings: of the suites that are taken beside it, where the machine takes its own suite's.

    Raises:
        LabRefused: when the machine has no source of Debian that a lab host can reach.
    """
    reachable = [source for source in machine if source.uri.startswith(("http://", "https://"))]
    archive = next((one.uri for one in reachable if _SUITES & set(one.suites)), None)
    if archive is None:
        raise LabRefused(
            "apt on this machine has no source of Debian with an http or https address, so there is nothing to"
            f" build a lab host of '{suite}' from",
            "Add Debian's archive as this site mirrors it to /etc/apt/sources.list.d.",
        )
    stanzas = [(archive, suite)]
    for ending in endings:
        uri = next((one.uri for one in reachable for name in one.suites if _debian(name, ending)), None)
        if uri:
            stanzas.append((uri, suite + ending))
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {name}\nComponents: main\nSigned-By: {_KEYRING}\n" for uri, name in stanzas
    )


def _debian(name: str, ending: str) -> bool:
    return name.endswith(ending) and name.removesuffix(ending) in _SUITES


def parse_options(dump: str) -> list[str]:
    """Return the options of ``apt-config dump`` that a lab host needs too: proxies, timeouts, index dates."""
    return [f'{found.group(1)} "{found.group(2)}";' for found in map(_CARRIED.fullmatch, dump.splitlines()) if found]


def read_options() -> list[str]:
    """Return the machine's apt options that a lab host needs too."""
    return parse_options(command(["apt-config", "dump"]))
