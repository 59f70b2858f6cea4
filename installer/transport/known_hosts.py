"""Host keys that are known: files in the format of known_hosts, see SSH_KNOWN_HOSTS FILE FORMAT in sshd(8)."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import functools
import hashlib
import hmac
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

DEFAULT_PORT = 22
_HASHED = "|1|"


@dataclass(frozen=True)
class Known:
    """One line of a known_hosts file.

    Args:
        file: where it stands.
        line: its number, from 1.
        marker: ``@revoked``, ``@cert-authority`` or nothing.
        names: host patterns, or one hashed name.
        kind: key type, such as ``ssh-ed25519``.
        key: the public key, as it crosses the wire.
    """

    file: Path
    line: int
    marker: str
    names: tuple[str, ...]
    kind: str
    key: bytes

    def matches(self, name: str) -> bool:
        """Return whether this line is about a host; ``name`` is made by ``lookup_name``."""
        found = False
        for pattern in self.names:
            if pattern.startswith(_HASHED):
                found = found or _matches_hash(name, pattern)
            elif pattern.startswith("!"):
                if fnmatch.fnmatchcase(name, _literal_brackets(pattern[1:].lower())):
                    return False
            else:
                found = found or fnmatch.fnmatchcase(name, _literal_brackets(pattern.lower()))
        return found


class Verdict(Enum):
    """What the known keys say of the key that a host shows."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


def lookup_name(host: str, port: int) -> str:
    """Return the name under which a host is kept: with brackets and port unless the port is 22."""
    return host.lower() if port == DEFAULT_PORT else f"[{host.lower()}]:{port}"


def fingerprint(key: bytes) -> str:
    """Return a public key's fingerprint as OpenSSH writes it: ``SHA256:`` and 43 characters."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


# By content: a file may change twice within one tick of the kernel's clock.
@functools.lru_cache(maxsize=32)
def parse(text: str, file: Path) -> tuple[Known, ...]:
    """Return the entries of a known_hosts file; lines that are not understood are left out, as OpenSSH does."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        marker = words.pop(0) if words[0].startswith("@") else ""
        if len(words) < 3:
            continue
        try:
            key = base64.b64decode(words[2], validate=True)
        except binascii.Error:
            continue
        found.append(Known(file, number, marker, tuple(words[0].split(",")), words[1], key))
    return tuple(found)


def about(files: Iterable[Path], names: Sequence[str]) -> list[Known]:
    """Return what the files say of a host.

    Args:
        files: known_hosts files; those that cannot be read are left out.
        names: what the host is called, made by ``lookup_name``.
    """
    found = []
    for file in files:
        try:
            entries = parse(file.read_text(errors="replace"), file)
        except OSError:
            continue
        found += [entry for entry in entries if any(entry.matches(name) for name in names)]
    return found


def judge(entries: Sequence[Known], key: bytes) -> tuple[Verdict, Known | None]:
    """Return what the entries of a host say of the key that it shows, and the entry that decided."""
    for entry in entries:
        if entry.marker == "@revoked" and entry.key == key:
            return Verdict.REVOKED, entry
    plain = [entry for entry in entries if not entry.marker]
    for entry in plain:
        if entry.key == key:
            return Verdict.KNOWN, entry
    # A host that shows a key of a new type only, while we asked for the known one, has changed as well.
    return (Verdict.CHANGED, plain[0]) if plain else (Verdict.UNKNOWN, None)


def key_types(entries: Sequence[Known], offered: Sequence[str]) -> list[str]:
    """Return signature algorithms to negotiate, those of known keys first.

    Args:
        entries: what is known of the host.
        offered: all algorithms, in order of preference.
    """
    known = {entry.kind for entry in entries if not entry.marker}
    if "ssh-rsa" in known:
        # One kind of key, three algorithms to sign with it: https://www.rfc-editor.org/rfc/rfc8332
        known |= {"rsa-sha2-512", "rsa-sha2-256"}
    return [kind for kind in offered if kind in known] + [kind for kind in offered if kind not in known]


def append(file: Path, name: str, kind: str, key: bytes) -> None:
    """Add a host key to a file, which is made with its folder where it is missing.

    Raises:
        OSError: it cannot be written.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = f"{name} {kind} {base64.b64encode(key).decode()}\n".encode()
    with open(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as stream:
        # The last line may lack its end when a person wrote it.
        if stream.seek(0, os.SEEK_END):
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                line = b"\n" + line
        stream.write(line)


def _matches_hash(name: str, pattern: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part) for part in pattern[len(_HASHED) :].split("|"))
    except ValueError:
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest)


def _literal_brackets(pattern: str) -> str:
    """Return a pattern in which brackets stand for themselves: known_hosts knows no character classes."""
    return pattern.replace("[", "[[]")
