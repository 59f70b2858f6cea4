"""What an SELinux policy is told beyond what its distribution ships: modules, booleans, ports and paths.

All is kept by the policy's own tools and stays over updates of the policy. What is there already is read from the
files in which libsemanage keeps it: its tools take seconds for a question. A policy that knows no such boolean or type
confines nothing by it, so there is nothing to set.
"""

from __future__ import annotations

import bz2
import dataclasses
import hashlib
import os
import re
import tempfile
from typing import ClassVar, Dict, List, Mapping, Optional, Sequence, Tuple

from installer.agent import selinux
from installer.agent.host import CommandFailed, Host
from installer.resources import label, leftovers
from installer.resources.base import Actual, Resource, State
from installer.resources.texts import text_of

TOOLS_CONFIG = "/etc/selinux/semanage.conf"
#: Modules of an administrator; those of the distribution have 100, see semodule(8).
PRIORITY = "400"


@dataclasses.dataclass(frozen=True)
class PolicyModule(Resource):
    """A module of the policy, in the Common Intermediate Language.

    Args:
        module: its name.
        content: its text.
    """

    kind: ClassVar[str] = "policy-module"

    module: str
    content: str = dataclasses.field(repr=False)

    @property
    def name(self) -> str:
        return self.module

    def expected(self) -> State:
        return {"sha256": hashlib.sha256(self.content.encode()).hexdigest()}

    @classmethod
    def query(cls, resources: Sequence[PolicyModule], host: Host) -> Dict[str, Actual]:
        folder = os.path.join(store(), "modules", PRIORITY)
        return {resource.id: _module(os.path.join(folder, resource.module, "cil")) for resource in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        self.fix_all([(self, actual)], host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[PolicyModule, Actual]], host: Host) -> None:
        # Each call builds the whole policy anew: one for all of them.
        leftovers.sweep(tempfile.gettempdir(), "pystack-policy-")
        with tempfile.TemporaryDirectory(prefix=leftovers.own("pystack-policy-")) as folder:
            paths = []
            for item, _ in differing:
                paths.append(os.path.join(folder, f"{item.module}.cil"))
                with open(paths[-1], "w", encoding="utf-8") as stream:
                    stream.write(item.content)
            host.progress(f"building the SELinux policy with {', '.join(item.module for item, _ in differing)}")
            host.run(["semodule", "-X", PRIORITY, "-i", *paths])

    def explain(self, actual: Actual, host: Host) -> List[str]:
        sign = "+" if actual is None else " "
        return [f"{sign} {rule}" for rule in rules(self.content)]


@dataclasses.dataclass(frozen=True)
class PolicyBoolean(Resource):
    """A switch of the policy that is on, now and after the next boot.

    Args:
        boolean: its name.
    """

    kind: ClassVar[str] = "policy-boolean"

    boolean: str

    @property
    def name(self) -> str:
        return self.boolean

    def expected(self) -> State:
        return {"now": "on", "at boot": "on"}

    @classmethod
    def query(cls, resources: Sequence[PolicyBoolean], host: Host) -> Dict[str, Actual]:
        kept = kept_booleans(text_of(os.path.join(store(), "booleans.local")))
        return {resource.id: resource._state(kept) for resource in resources}

    def _state(self, kept: Mapping[str, str]) -> Actual:
        # Its value now, and the one it is about to get.
        now = text_of(os.path.join(selinux.KERNEL, "booleans", self.boolean)).split()
        if not now:
            return self.expected()
        return {"now": "on" if now[0] == "1" else "off", "at boot": kept.get(self.boolean, "as the policy has it")}

    def fix(self, actual: Actual, host: Host) -> None:
        self.fix_all([(self, actual)], host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[PolicyBoolean, Actual]], host: Host) -> None:
        host.run(["setsebool", "-P", *(f"{item.boolean}=on" for item, _ in differing)])


@dataclasses.dataclass(frozen=True)
class PolicyPort(Resource):
    """A TCP port that has a type of the policy, so that who may use that type may use the port.

    Args:
        port: its number.
        type: the type.
    """

    kind: ClassVar[str] = "policy-port"

    port: int
    type: str

    @property
    def name(self) -> str:
        return str(self.port)

    def expected(self) -> State:
        return {"type": self.type}

    @classmethod
    def query(cls, resources: Sequence[PolicyPort], host: Host) -> Dict[str, Actual]:
        kept = kept_ports(text_of(os.path.join(store(), "ports.local")))
        return {item.id: _typed(kept.get(item.port), item.type) for item in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        _semanage("port", ["-t", self.type, "-p", "tcp", str(self.port)], host)


@dataclasses.dataclass(frozen=True)
class PolicyPath(Resource):
    """Paths whose files have a type of the policy. Files that are there already get it.

    Args:
        pattern: a regular expression for the whole path, see semanage-fcontext(8).
        type: the type.
        below: folder in which all these files are; it need not exist.
    """

    kind: ClassVar[str] = "policy-path"

    pattern: str
    type: str
    below: str

    @property
    def name(self) -> str:
        return self.pattern

    def expected(self) -> State:
        return {"type": self.type}

    @classmethod
    def query(cls, resources: Sequence[PolicyPath], host: Host) -> Dict[str, Actual]:
        kept = kept_paths(text_of(local_paths()))
        return {item.id: _typed(kept.get(item.pattern), item.type) for item in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        _semanage("fcontext", ["-t", self.type, self.pattern], host)
        label.POLICY.forget()
        if os.path.isdir(self.below):
            host.run(["restorecon", "-R", self.below])


def rules(content: str) -> List[str]:
    """Return the rules in the text of a module as sesearch(1) writes them."""
    found = re.findall(r"\((allow|dontaudit) (\S+) (\S+) \((\S+) \(([^()]*)\)\)\)", content)
    return [f"{verb} {source} {target}:{kind} {{ {asked} }}" for verb, source, target, kind, asked in found]


def policy() -> str:
    """Return the name of the host's policy."""
    return selinux.configured(text_of(selinux.CONFIG), "")[1] or "targeted"


def store() -> str:
    """Return the folder in which libsemanage keeps the policy, see semanage.conf(5)."""
    roots = re.findall(r"(?m)^\s*store-root\s*=\s*(\S+)", text_of(TOOLS_CONFIG))
    return os.path.join(roots[-1] if roots else "/var/lib/selinux", policy(), "active")


def local_paths() -> str:
    """Return the file with what was said of paths on this host."""
    return f"/etc/selinux/{policy()}/contexts/files/file_contexts.local"


def kept_booleans(text: str) -> Dict[str, str]:
    """Return ``on`` or ``off`` of each boolean in the text of booleans.local."""
    return {name: "on" if value == "1" else "off" for name, value in re.findall(r"(?m)^\s*(\w+)\s*=\s*([01])\b", text)}


def kept_ports(text: str) -> Dict[int, str]:
    """Return the type of each single TCP port in the text of ports.local."""
    found = re.findall(r"(?m)^\s*portcon\s+tcp\s+(\d+)\s+\w+:\w+:(\w+)", text)
    return {int(number): type_ for number, type_ in found}


def kept_paths(text: str) -> Dict[str, str]:
    """Return the type of each pattern in the text of file_contexts.local."""
    found = re.findall(r"(?m)^\s*([^#\s]\S*)\s+(?:-\S\s+)?\w+:\w+:(\w+)", text)
    return dict(found)


def knows_type(name: str) -> bool:
    """Tell whether the policy in the kernel has a type; where there is no policy it has none."""
    try:
        with open(os.path.join(selinux.KERNEL, "context"), "wb", buffering=0) as stream:
            stream.write(f"system_u:object_r:{name}:s0\0".encode())
    except OSError:
        return False
    return True


def _typed(found: Optional[str], wanted: str) -> Actual:
    """Return the state of what has a type, or none; as wanted where the policy knows no such type."""
    kept = found if knows_type(wanted) else wanted
    return {"type": kept} if kept else None


def _module(path: str) -> Actual:
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError:
        return None
    # libsemanage compresses it unless semanage.conf says otherwise.
    text = bz2.decompress(data) if data.startswith(b"BZh") else data
    return {"sha256": hashlib.sha256(text).hexdigest()}


def _semanage(what: str, arguments: Sequence[str], host: Host) -> None:
    """Add what is not there, or change what the policy or an administrator says already."""
    added = host.run(["semanage", what, "--add", *arguments], expect=None)
    if added.code != 0:
        try:
            host.run(["semanage", what, "--modify", *arguments])
        except CommandFailed:
            raise CommandFailed(added) from None
