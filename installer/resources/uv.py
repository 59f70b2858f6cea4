"""uv as every host has it: the program, its cache, and the host's own index, proxies and trust carried over to it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from installer.agent.host import CommandFailed, Completed, Host
from installer.resources import leftovers
from installer.resources.blob import content
from installer.resources.file import sha256_of, write_atomically
from installer.resources.python_index import HOST_CONFIGURATION, configuration, host_proxies, read_pip
from installer.resources.secret import Secret

#: Where uv keeps what it downloaded, so that a second environment or a repetition is a matter of hard links.
CACHE = "/var/cache/pystack/uv"
#: Below this the program is kept, one folder per version.
PROGRAMS = "/opt/pystack/uv"

_PREFIX = "pystack-uv-"

#: A pattern in what uv says, and what it means in one line.
Meanings = Sequence[Tuple[str, str]]


class Uv:
    """uv on a host, ready to run.

    Args:
        program: its path.
        folder: a temporary folder for what it is to read.
        options: what every command line begins with.
        sources: what installations say of where distributions come from.
        environment: its environment variables.
        host: where it runs.
    """

    def __init__(
        self,
        program: str,
        folder: str,
        options: Sequence[str],
        sources: Sequence[str],
        environment: Dict[str, str],
        host: Host,
    ) -> None:
        self.program = program
        self.folder = folder
        self.options = tuple(options)
        self.sources = tuple(sources)
        self.environment = environment
        self.host = host

    def write(self, name: str, data: bytes) -> str:
        """Write a file for uv to read, and return its path."""
        return _write(self.folder, name, data)

    def run(self, argv: Sequence[str], meanings: Meanings = ()) -> None:
        """Run one command of uv.

        Args:
            argv: the command and its arguments.
            meanings: what else it may say; see ``explain_failure``.

        Raises:
            CommandFailed: with the reason in one line.
        """
        line = [self.program, "--no-progress", "--color=never", *self.options, *argv]
        done = self.host.run(line, env=self.environment, expect=None, timeout=1800)
        if done.code:
            raise CommandFailed(done, explain_failure(done, meanings))


@contextlib.contextmanager
def uv_on(
    host: Host,
    program: str,
    index: Optional[Secret],
    proxies: Sequence[Tuple[str, Secret]],
    link_mode: str,
    sent: Optional[str] = None,
) -> Iterator[Uv]:
    """Yield uv for as long as its temporary folder is there; the program is brought to the host where it lacks.

    Args:
        host: where it runs.
        program: blob (sha256) of the program for this host's architecture.
        index: address of a package index; None leaves it to the configuration of the host's own uv or pip.
        proxies: ``http_proxy``, ``https_proxy``, ``no_proxy`` with their values; none leaves them to the host.
        link_mode: how files come from the cache: ``hardlink`` or ``copy``.
        sent: folder of the wheels that the controller sent; no index is asked then.
    """
    path = _program(program, host)
    os.makedirs(CACHE, mode=0o755, exist_ok=True)
    environment = {
        **({} if proxies else host_proxies()),
        "UV_CACHE_DIR": CACHE,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_LINK_MODE": link_mode,
        "UV_HTTP_TIMEOUT": "60",
        # The host's own trust, which may know a CA of the site. Its name changed with uv 0.12.
        "UV_SYSTEM_CERTS": "true",
        "UV_NATIVE_TLS": "true",
    }
    leftovers.sweep(tempfile.gettempdir(), _PREFIX)
    with tempfile.TemporaryDirectory(prefix=leftovers.own(_PREFIX)) as folder:
        if sent is None:
            options, sources = _configuration(folder, index, proxies), []
        else:
            options, sources = ["--no-config", "--offline"], ["--no-index", f"--find-links={sent}"]
        yield Uv(path, folder, options, sources, environment, host)


def _program(sha256: str, host: Host) -> str:
    path = f"{PROGRAMS}/{sha256[:12]}/uv"
    if not os.path.exists(path) or sha256_of(path) != sha256:
        host.progress("bringing uv to the host")
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        write_atomically(path, content(sha256, host, "uv"), "root", "root", 0o755)
    return path


def _configuration(folder: str, index: Optional[Secret], proxies: Sequence[Tuple[str, Secret]]) -> List[str]:
    """Return uv's arguments for its index and proxies: none where the host's own uv is configured already."""
    if index is None and not proxies and any(map(os.path.exists, HOST_CONFIGURATION)):
        return []
    text = configuration(index, dict(proxies), read_pip())
    return [f"--config-file={_write(folder, 'uv.toml', text.encode())}"]


def _write(folder: str, name: str, data: bytes) -> str:
    path = os.path.join(folder, name)
    write_atomically(path, data, "root", "root", 0o600)
    return path


def mark_of(lock: str, build_constraints: str) -> str:
    """Return by what a stamp knows the locks that something was made from: 16 hex digits.

    Args:
        lock: sha256 of the lock.
        build_constraints: sha256 of the lock of what builds distributions that have no wheel.
    """
    return hashlib.sha256(f"{lock} {build_constraints}".encode()).hexdigest()[:16]


def distributions(lock: bytes) -> int:
    """Return how many distributions a lock names."""
    return len(re.findall(rb"^[A-Za-z0-9][^\s=]*==", lock, re.MULTILINE))


#: The first that is found counts.
_MEANINGS: Meanings = (
    (r"No space left on device", "the disk is full: make room; df -h on the host tells where"),
    (
        r"[Hh]ash mismatch (?:for|in) `?([^`\n]+?)`?[\s:]*$",
        "what the package index serves as {0} is not what the lock names",
    ),
    (
        r"(?:dns error|tcp connect error|error sending request|Failed to connect|Connection refused)",
        "the package index cannot be reached{url}",
    ),
    (
        r"(?:invalid peer certificate|UnknownIssuer)",
        "the host does not trust the certificate of the package index{url}",
    ),
    (r"HTTP status (?:client|server) error \((\d+[^)]*)\)", "the package index answers {0}{url}"),
    (
        r"Because ([^\s`]+) was not found in the provided package locations",
        "the wheels that were sent do not have {0}; what is needed differs from what the bundle or the index had",
    ),
    (r"Because ([^\s`]+) was not found", "the package index does not have {0}"),
    (r"there (?:is|are) no versions? of ([^\s`]+)", "the package index does not have {0}"),
    (r"No interpreter found|not a valid Python interpreter", "the interpreter cannot be used"),
    (r"is not a virtual environment", "something else is in the way; move it away if it is not needed"),
    (r"Failed to build `([^`]+)`", "{0} cannot be built"),
)


def explain_failure(done: Completed, meanings: Meanings = ()) -> str:
    """Return in one line why uv failed.

    Args:
        done: how it ended.
        meanings: patterns that are looked for first, each with its meaning; ``{0}`` is the pattern's first group.
    """
    text = done.err + done.out
    address = re.search(r"https?://[^\s`)'\"]+", text)
    url = f" ({address.group(0)})" if address else ""
    for pattern, meaning in (*meanings, *_MEANINGS):
        found = re.search(pattern, text, re.MULTILINE)
        if found:
            return meaning.format(*found.groups(), url=url)
    lines = [line.strip() for line in done.err.splitlines() if line.strip()]
    lines.sort(key=lambda line: not line.startswith("error: "))
    return f"uv failed: {lines[0] if lines else f'code {done.code}'}"
