"""A line in /etc/hosts.

Our lines stand in a block of their own; those of the operator are never changed, with one exception. The installers
of Debian and Ubuntu write ``127.0.1.1 name.domain name`` for a host's own name. In a cloud that name must lead
to the address where the other hosts reach it: RabbitMQ, Erlang and libvirt listen at and announce what it resolves to.
The Debian Reference (5.1.1) wants the permanent address there, if there is one, and OpenStack's installation guide has
the line commented out. So names that an entry of ours gives an address to are taken off it; what it was is kept
above it as a comment.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import stat
import threading
from pathlib import Path
from typing import ClassVar, Dict, List, NamedTuple, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.file import write_atomically

HOSTS = Path("/etc/hosts")
BEGIN = "# begin pystack: the hosts of the cloud; what you write in here is lost, elsewhere it is kept"
END = "# end pystack"
#: Debian's own host name stands at this address: see hosts(5) and the Debian Reference, 5.1.1.
DEBIAN_OWN = "127.0.1.1"
SET_ASIDE = "# set aside by pystack: "

_file_lock = threading.Lock()


class Line(NamedTuple):
    """A line of /etc/hosts: text, number from 1, what it maps (None and () for comments), whether it is ours."""

    text: str
    number: int
    address: Optional[str]
    names: Tuple[str, ...]
    ours: bool


@dataclasses.dataclass(frozen=True)
class HostEntry(Resource):
    """Names that lead to an address.

    Args:
        address: IPv4 or IPv6.
        names: the full name first.
    """

    kind: ClassVar[str] = "host-entry"

    address: str
    names: Tuple[str, ...]

    @property
    def name(self) -> str:
        return self.names[0]

    def expected(self) -> State:
        return {"address": self.address, "names": list(self.names), "elsewhere": []}

    @classmethod
    def query(cls, resources: Sequence[HostEntry], host: Host) -> Dict[str, Actual]:
        lines = parse(_read())
        return {resource.id: resource.state(lines) for resource in resources}

    def state(self, lines: Sequence[Line]) -> Actual:
        """Return the actual state from the lines of /etc/hosts."""
        here = {name for line in lines if same(line.address, self.address) for name in line.names}
        elsewhere = [f"line {line.number}: {line.text.strip()}" for line in self.elsewhere(lines)]
        names = [name for name in self.names if name.lower() in here]
        return {"address": self.address, "names": names, "elsewhere": elsewhere} if names or elsewhere else None

    def elsewhere(self, lines: Sequence[Line]) -> List[Line]:
        """Return the lines that lead one of the names to another address of the same family, or to this host itself."""
        wanted = {name.lower() for name in self.names}
        return [line for line in lines if wanted & set(line.names) and rivals(line.address, self.address)]

    def fix(self, actual: Actual, host: Host) -> None:
        self.fix_all([(self, actual)], host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[HostEntry, Actual]], host: Host) -> None:
        with _file_lock:
            text = with_entries(_read(), [item for item, _ in differing])
            mode = stat.S_IMODE(HOSTS.stat().st_mode) if HOSTS.exists() else 0o644
            write_atomically(str(HOSTS), text.encode("utf-8", "surrogateescape"), "root", "root", mode)


def parse(text: str) -> List[Line]:
    """Parse /etc/hosts; names come in lower case."""
    found, ours = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() in (BEGIN, END):
            ours = line.strip() == BEGIN
            found.append(Line(line, number, None, (), True))
            continue
        words = line.partition("#")[0].split()
        address, names = (words[0], tuple(word.lower() for word in words[1:])) if words else (None, ())
        found.append(Line(line, number, address, names, ours))
    return found


def with_entries(text: str, entries: Sequence[HostEntry]) -> str:
    """Return /etc/hosts with these entries: others in our block stay, and so do the operator's lines.

    Raises:
        CannotFix: a line of the operator leads a name elsewhere.
    """
    lines = parse(text)
    for entry in entries:
        for line in entry.elsewhere(lines):
            if not line.ours and line.address != DEBIAN_OWN:
                raise CannotFix(
                    f"line {line.number} of /etc/hosts leads {' '.join(line.names)} to {line.address}, and "
                    f"{entry.address} is wanted: `{line.text.strip()}`; pystack does not change this line: take the "
                    f"name off it, or give {line.address} in the answer file"
                )
    named = {name.lower() for entry in entries for name in entry.names}
    block: Dict[str, Tuple[str, ...]] = {}
    for line in lines:
        if line.ours and line.address:
            block[" ".join(line.names)] = (line.address, *(name for name in line.names if name not in named))
    ours = [words for words in block.values() if len(words) > 1]
    for entry in entries:
        if not _theirs_suffices(entry, lines):
            ours.append((entry.address, *entry.names))
    theirs = [part for line in lines if not line.ours for part in _kept(line, named)]
    block_lines = [BEGIN, *sorted(" ".join(words) for words in ours), END] if ours else []
    return "\n".join([*theirs, *block_lines, ""])


def same(one: Optional[str], other: str) -> bool:
    """Tell whether two texts are the same address; IPv6 can be written in several ways."""
    try:
        return ipaddress.ip_address(one or "") == ipaddress.ip_address(other)
    except ValueError:
        return one == other


def rivals(one: Optional[str], other: str) -> bool:
    """Tell whether a name that has both addresses would lead to either: same family, or one only reaches this host."""
    try:
        first, second = ipaddress.ip_address(one or ""), ipaddress.ip_address(other)
    except ValueError:
        return False
    return first != second and (first.version == second.version or first.is_loopback)


def _theirs_suffices(entry: HostEntry, lines: Sequence[Line]) -> bool:
    theirs = {name for line in lines if not line.ours and same(line.address, entry.address) for name in line.names}
    return all(name.lower() in theirs for name in entry.names)


def _kept(line: Line, named: set[str]) -> List[str]:
    if line.address != DEBIAN_OWN or not named & set(line.names):
        return [line.text]
    left = [name for name in line.names if name not in named]
    return [f"{SET_ASIDE}{line.text.strip()}", *([" ".join([DEBIAN_OWN, *left])] if left else [])]


def _read() -> str:
    try:
        return HOSTS.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
