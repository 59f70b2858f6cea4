"""A file with its content, owner and mode, and a directory, and a symbolic link."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import grp
import hashlib
import os
import pwd
import re
import shutil
import stat
import tempfile
from typing import Any, ClassVar, Dict, List, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.resources import leftovers
from installer.resources.base import Actual, CannotFix, Resource, State, Unknown, describe_new
from installer.resources.blob import content
from installer.resources.label import set_label
from installer.resources.secret import MASK, Secret

#: Longer differences are cut: the file itself says more than a screen full of lines.
LONGEST_DIFF = 60
#: In the first line of every file that a template makes: what an operator may have written before does not have it.
MARK_OF_OURS = "Made by pystack"


@dataclasses.dataclass(frozen=True)
class File(Resource):
    """A regular file. What was there before pystack made the first one is kept beside it, as ``PATH.before-pystack``.

    Args:
        path: absolute path; its directory must exist.
        content: the text it holds; None when ``blob`` says it, or when absent.
        secrets: every secret inside the content, so that no diff shows them.
        blob: sha256 (64 hex digits) of binary content that the controller keeps.
        owner, group: account names.
        mode: permission bits, such as 0o640.
        absent: the file must not exist.
    """

    kind: ClassVar[str] = "file"

    path: str
    content: Optional[str] = dataclasses.field(default=None, repr=False)  # it may hold secrets
    secrets: Tuple[Secret, ...] = ()
    blob: Optional[str] = None
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    absent: bool = False

    @property
    def name(self) -> str:
        return self.path

    def expected(self) -> State:
        if self.absent:
            return None
        digest = self.blob or hashlib.sha256((self.content or "").encode()).hexdigest()
        return {"sha256": digest, "owner": self.owner, "group": self.group, "mode": f"{self.mode:04o}"}

    @classmethod
    def query(cls, resources: Sequence[File], host: Host) -> Dict[str, Actual]:
        return {resource.id: file_state(resource.path) for resource in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        if self.absent:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            return
        if isinstance(actual, dict) and "sha256" not in actual:
            raise CannotFix(f"{self.path} is a {actual['type']}, not a file; move it away if it is not needed")
        expected = self.expected() or {}
        if isinstance(actual, dict) and actual["sha256"] == expected["sha256"]:
            set_owner_and_mode(self.path, self.owner, self.group, self.mode)
            return
        data = content(self.blob, host, self.path) if self.blob else (self.content or "").encode()
        if isinstance(actual, dict) and self._is_not_ours():
            # The same file under a second name: owner, mode and all else stay, and writing ours does not touch it.
            os.link(self.path, self._kept(), follow_symlinks=False)
        write_atomically(self.path, data, self.owner, self.group, self.mode)

    def _kept(self) -> str:
        return f"{self.path}.before-pystack"

    def _is_not_ours(self) -> bool:
        """Tell whether the file that is there was not made by pystack, and is the first such."""
        # Without a mark of its own, such as a certificate, a file is in a place that only pystack writes to.
        if self.content is None or MARK_OF_OURS not in self.content or os.path.lexists(self._kept()):
            return False
        with open(self.path, "rb") as stream:
            return MARK_OF_OURS.encode() not in stream.read()

    def explain(self, actual: Actual, host: Host) -> List[str]:
        expected = self.expected()
        if not isinstance(actual, dict) or expected is None or "sha256" not in actual:
            size = f"+ {len((self.content or '').splitlines())} lines" if self.content is not None else "+ content"
            return (
                super().explain(actual, host)
                if expected is None
                else [size, *describe_new({key: value for key, value in expected.items() if key != "sha256"})]
            )
        lines = [
            f"  {key}: {actual[key]} -> {expected[key]}"
            for key in ("owner", "group", "mode")
            if actual[key] != expected[key]
        ]
        if actual["sha256"] != expected["sha256"]:
            if self._is_not_ours():
                lines.append(f"  the file that is there is kept as {self._kept()}")
            lines += self._content_difference()
        return lines

    def _content_difference(self) -> List[str]:
        if self.content is None:
            return ["  content differs"]
        with open(self.path, encoding="utf-8", errors="replace") as stream:
            old = stream.read()
        return masked_difference(old, self.content, self.secrets)


@dataclasses.dataclass(frozen=True)
class Directory(Resource):
    """A directory; what is in it is not its business.

    Args:
        path: absolute path; its parent must exist.
        owner, group: account names.
        mode: permission bits.
    """

    kind: ClassVar[str] = "directory"

    path: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755

    @property
    def name(self) -> str:
        return self.path

    def expected(self) -> State:
        return {"type": "directory", "owner": self.owner, "group": self.group, "mode": f"{self.mode:04o}"}

    @classmethod
    def query(cls, resources: Sequence[Directory], host: Host) -> Dict[str, Actual]:
        return {resource.id: file_state(resource.path) for resource in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        if isinstance(actual, dict) and actual.get("type") != "directory":
            raise CannotFix(f"{self.path} exists and is not a directory; move it away if it is not needed")
        if actual is None:
            # Two roles that run side by side may both want it.
            with contextlib.suppress(FileExistsError):
                os.mkdir(self.path, 0o700)
            set_label(self.path)
        set_owner_and_mode(self.path, self.owner, self.group, self.mode)


@dataclasses.dataclass(frozen=True)
class Symlink(Resource):
    """A symbolic link.

    Args:
        path: absolute path of the link.
        target: what it points to, as written into it.
    """

    kind: ClassVar[str] = "symlink"

    path: str
    target: str

    @property
    def name(self) -> str:
        return self.path

    def expected(self) -> State:
        return {"type": "symlink", "target": self.target}

    @classmethod
    def query(cls, resources: Sequence[Symlink], host: Host) -> Dict[str, Actual]:
        found: Dict[str, Actual] = {}
        for resource in resources:
            if os.path.islink(resource.path):
                found[resource.id] = {"type": "symlink", "target": os.readlink(resource.path)}
            else:
                found[resource.id] = file_state(resource.path)
        return found

    def fix(self, actual: Actual, host: Host) -> None:
        if isinstance(actual, dict) and actual.get("type") != "symlink":
            raise CannotFix(f"{self.path} exists and is not a symbolic link; move it away if it is not needed")
        temporary = f"{self.path}.pystack-new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        os.symlink(self.target, temporary)
        os.replace(temporary, self.path)


def file_state(path: str) -> Actual:
    """Return what stands at a path: None, or type, owner, group, mode, and sha256 for a regular file."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return {"type": "dangling symlink"} if os.path.islink(path) else None
    except OSError as problem:
        return Unknown(str(problem))
    state: Dict[str, Any] = {
        "owner": _account_name(status.st_uid),
        "group": _group_name(status.st_gid),
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
    }
    if stat.S_ISREG(status.st_mode):
        return {**state, "sha256": sha256_of(path)}
    return {**state, "type": "directory" if stat.S_ISDIR(status.st_mode) else "special file"}


def sha256_of(path: str) -> str:
    """Return the sha256 of a file's content as 64 hex digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def write_atomically(path: str, data: bytes, owner: str, group: str, mode: int) -> None:
    """Write a file so that a reader sees the old or the new one, whole, and a crash leaves one of them."""
    folder = os.path.dirname(path)
    prefix, suffix = f".{os.path.basename(path)}.", ".pystack-new"
    leftovers.sweep(folder, prefix, suffix, owner)
    descriptor, temporary = tempfile.mkstemp(prefix=leftovers.own(prefix), suffix=suffix, dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        set_owner_and_mode(temporary, owner, group, mode)
        set_label(temporary, path)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def set_owner_and_mode(path: str, owner: str, group: str, mode: int) -> None:
    """Give a path its owner, group and permission bits."""
    shutil.chown(path, owner, group)
    os.chmod(path, mode)


def masked_difference(old: str, new: str, secrets: Sequence[Secret]) -> List[str]:
    """Return a unified diff in which no secret shows: neither a new one nor the old one that it replaces.

    Args:
        secrets: the secrets inside ``new``. A line of ``old`` is masked from its key on when the same key holds a
            secret in ``new``; without keys, as in a private key, every line is masked.
    """
    values = sorted({secret.reveal() for secret in secrets if secret.reveal()}, key=len, reverse=True)
    if not values:
        return _unified(old.splitlines(), new.splitlines())
    shapes = [_key_of(line) for line in _lines_with(new, values)]
    if None in shapes:
        return ["  content differs (all of it is secret)"]
    keys = {key for key in shapes if key is not None}
    return _unified(
        [_masked(line, keys) for line in old.splitlines()], [_masked(line, keys) for line in new.splitlines()]
    ) or ["  a secret differs"]


_ASSIGNMENT = re.compile(r"^(\s*(?:export\s+)?[\w.\-\"']+\s*[=:]\s*)\S.*$")


def _lines_with(text: str, values: Sequence[str]) -> List[str]:
    return [line for line in text.splitlines() if any(part in line for value in values for part in value.splitlines())]


def _key_of(line: str) -> Optional[str]:
    found = _ASSIGNMENT.match(line)
    return re.sub(r"[\s=:]+$", "", found.group(1)).strip() if found else None


def _masked(line: str, keys: Sequence[str] | set[str]) -> str:
    found = _ASSIGNMENT.match(line)
    return f"{found.group(1)}{MASK}" if found and _key_of(line) in keys else line


def _unified(old: List[str], new: List[str]) -> List[str]:
    lines = list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]
    if len(lines) > LONGEST_DIFF:
        return [*lines[:LONGEST_DIFF], f"  ... {len(lines) - LONGEST_DIFF} more lines"]
    return lines


def _account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
