"""What ~/.ssh/config and the login say of one host, put together. See ssh_config(5)."""

from __future__ import annotations

import functools
import getpass
import glob
import re
from dataclasses import dataclass
from pathlib import Path

import paramiko

from installer.errors import HostUnreachable
from installer.transport.known_hosts import DEFAULT_PORT
from installer.transport.login import Login

KNOWN_HOSTS = Path("~/.ssh/known_hosts")
_GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_INCLUDE = re.compile(r"^\s*include[\s=]+(.*)$", re.IGNORECASE)
_BLOCK = re.compile(r"^\s*(host|match)[\s=]", re.IGNORECASE)
_DEEPEST = 16


@dataclass(frozen=True)
class Hop:
    """A jump host as ProxyJump names it; None is for ~/.ssh/config to say."""

    host: str
    user: str | None = None
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Hop:
        """Return the hop of ``[user@]host[:port]`` or ``ssh://[user@]host[:port]``, IPv6 in brackets."""
        user, at, rest = text.strip().removeprefix("ssh://").rstrip("/").rpartition("@")
        found = re.fullmatch(r"(\[[^\]]+\]|[^:]+)(?::(\d+))?", rest)
        host, port = (found[1], found[2]) if found else (rest, None)
        return cls(host.strip("[]"), user if at else None, int(port) if port else None)


@dataclass(frozen=True)
class Settings:
    """How one host is reached.

    Args:
        address: as written in the answer file.
        hostname: what is connected to: a name or an IP address without brackets.
        key_name: what the host is called in known_hosts.
        port: TCP port.
        user: the account.
        keys: private keys named for this host, the first to try first; they must be usable.
        more_keys: private keys to try when they exist.
        only_these_keys: whether an agent's other keys are left alone.
        jumps: hosts to go through, the first hop first.
        proxy_command: a command whose standard streams lead to the host.
        known_hosts: files with host keys.
        remember_in: the file that a confirmed host key is added to.
        timeout: seconds until a host that does not answer is given up.
        alive_interval: seconds between questions whether the host is still there.
        alive_wait: seconds to wait for the answer.
    """

    address: str
    hostname: str
    key_name: str
    port: int
    user: str
    keys: tuple[Path, ...]
    more_keys: tuple[Path, ...]
    only_these_keys: bool
    jumps: tuple[Hop, ...]
    proxy_command: str | None
    known_hosts: tuple[Path, ...]
    remember_in: Path
    timeout: float
    alive_interval: float
    alive_wait: float


def settings(address: str, login: Login, hop: Hop | None = None) -> Settings:
    """Return how a host is reached.

    Args:
        address: as written in the answer file.
        login: what goes before ~/.ssh/config.
        hop: for a jump host: what was said of it; the login's user and port are not meant for it then.

    Raises:
        HostUnreachable: ~/.ssh/config cannot be understood.
    """
    host = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    options = _options(host, login, hop or Hop(host, login.user, login.port))
    jump = options.get("proxyjump") or "none"
    interval = float(options.get("serveraliveinterval") or 0) or 15.0
    hostname = str(options["hostname"])
    known = [Path(word).expanduser() for word in options.get("userknownhostsfile", "").split()]
    if not known:
        known = [KNOWN_HOSTS.expanduser(), Path(f"{KNOWN_HOSTS}2").expanduser()]
    known = [path for path in known if str(path) not in ("none", "/dev/null")]
    everywhere = options.get("globalknownhostsfile", " ".join(_GLOBAL_KNOWN_HOSTS)).split()
    identities = [Path(path).expanduser() for path in options.get("identityfile", [])]
    defaults = [] if identities else [Path("~/.ssh", name).expanduser() for name in _DEFAULT_KEYS]
    # As OpenSSH does: a jump host is logged in to as oneself.
    default_user = getpass.getuser() if hop else "root"
    jumps = () if jump.lower() == "none" else tuple(Hop.parse(word) for word in jump.split(","))
    return Settings(
        address=address,
        hostname=hostname,
        key_name=str(options.get("hostkeyalias") or hostname),
        port=int(options.get("port") or DEFAULT_PORT),
        user=str(options.get("user") or default_user),
        keys=tuple(Path(str(path).removesuffix(".pub")).expanduser() for path in login.private_key),
        more_keys=tuple(identities + defaults),
        only_these_keys=str(options.get("identitiesonly")).lower() == "yes",
        # `Host *` with ProxyJump is about the jump host too, which cannot be behind itself.
        jumps=() if any(one.host in (host, hostname) for one in jumps) else jumps,
        proxy_command=options.get("proxycommand"),
        known_hosts=(*login.known_hosts, *known, *(Path(word) for word in everywhere)),
        remember_in=known[0] if known else KNOWN_HOSTS.expanduser(),
        timeout=float(options.get("connecttimeout") or login.timeout),
        alive_interval=interval,
        alive_wait=interval * max(1.0, float(options.get("serveralivecountmax") or 3) - 1),
    )


def _options(host: str, login: Login, first: Hop) -> paramiko.SSHConfigDict:
    """Return what the files say of a host; ``first`` goes before them, as the first value wins."""
    given = ["Host *", f"User {first.user}" if first.user else "", f"Port {first.port}" if first.port else ""]
    try:
        text = "\n".join([*given, *(_expanded(path) for path in login.ssh_config)])
        return _parsed(text).lookup(host)
    except (paramiko.ConfigParseError, paramiko.CouldNotCanonicalize, OSError, ValueError) as problem:
        files = " and ".join(str(path) for path in login.ssh_config)
        raise HostUnreachable(
            host, f"{host}: the SSH configuration in {files} cannot be used: {problem}", "correct that line"
        ) from None


@functools.lru_cache(maxsize=8)
def _parsed(text: str) -> paramiko.SSHConfig:
    return paramiko.SSHConfig.from_text(text)


def _expanded(path: Path, depth: int = 0) -> str:
    """Return a configuration file's text with what it includes: paramiko does not know ``Include``."""
    if not path.is_file() or depth > _DEEPEST:
        return ""
    lines, block = ["Host *"], "Host *"
    for line in path.read_text(errors="replace").splitlines():
        included = _INCLUDE.match(line)
        if _BLOCK.match(line):
            block = line
        if included is None:
            lines.append(line)
            continue
        folder = Path("/etc/ssh") if path.is_relative_to("/etc/ssh") else Path("~/.ssh").expanduser()
        for pattern in included[1].replace('"', "").split():
            for name in sorted(glob.glob(str(folder / Path(pattern).expanduser()))):
                lines.append(_expanded(Path(name), depth + 1))
        # Blocks of the included file end with it.
        lines.append(block)
    return "\n".join(lines)
