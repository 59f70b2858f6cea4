"""Logging in over an SSH transport: keys of files and agent first, then a password."""

from __future__ import annotations

import base64
import contextlib
import functools
import io
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType

from installer.transport import refusals
from installer.transport.known_hosts import fingerprint
from installer.transport.login import Login
from installer.transport.settings import Settings

_KEY_CLASSES = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_NamedKey = tuple[str, paramiko.PKey]
_BY_PASSWORD = ("password", "keyboard-interactive")


class Unusable(Exception):
    """A private key file that cannot be used; the text says why."""


@dataclass
class _Attempt:
    """What was tried on one host so far."""

    tried: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    wants_more: bool = False


def log_in(transport: paramiko.Transport, settings: Settings, login: Login) -> None:
    """Log in.

    Raises:
        HostUnreachable: everything was refused, or a key that was named cannot be used.
    """
    attempt = _Attempt()
    try:
        if _with_keys(transport, settings, login, attempt) or _with_password(transport, settings, login, attempt):
            return
    except (paramiko.SSHException, EOFError, OSError) as problem:
        # The host hung up: most often because it counts attempts.
        reason = str(problem) or "the host ended the connection"
        raise refusals.login_refused(settings.address, settings.user, attempt.tried, attempt.allowed, reason) from None
    raise refusals.login_refused(settings.address, settings.user, attempt.tried, attempt.allowed)


def _with_keys(transport: paramiko.Transport, settings: Settings, login: Login, attempt: _Attempt) -> bool:
    with contextlib.closing(_keys(settings, login, attempt)) as keys:
        return _try_keys(transport, settings, keys, attempt)


def _try_keys(transport: paramiko.Transport, settings: Settings, keys: Iterable[_NamedKey], attempt: _Attempt) -> bool:
    for what, key in keys:
        attempt.tried.append(f"{what} ({fingerprint(key.asbytes())})")
        try:
            more = transport.auth_publickey(settings.user, key)
        except paramiko.BadAuthenticationType as refused:
            attempt.allowed = list(refused.allowed_types)
            return False
        except paramiko.SSHException:
            # Refused; or an agent would not sign.
            if not transport.is_active():
                raise
            continue
        if not more:
            return True
        attempt.allowed, attempt.wants_more = list(more), True
        return False
    return False


def _with_password(transport: paramiko.Transport, settings: Settings, login: Login, attempt: _Attempt) -> bool:
    if not attempt.allowed:
        try:
            transport.auth_none(settings.user)
        except paramiko.BadAuthenticationType as refused:
            attempt.allowed = list(refused.allowed_types)
        else:
            return True
    if not any(method in attempt.allowed for method in _BY_PASSWORD):
        return False
    password = login.password_of(settings.user, settings.address)
    if password is None:
        attempt.tried.append("no password: none was given, and there is no terminal to ask on")
        return False
    attempt.tried.append("password")
    try:
        if "password" in attempt.allowed:
            return not transport.auth_password(settings.user, password.reveal(), fallback=False)
        return not transport.auth_interactive(
            settings.user, lambda _title, _text, prompts: [password.reveal() for _ in prompts]
        )
    except paramiko.AuthenticationException:
        if not transport.is_active():
            raise
        return False


def _keys(settings: Settings, login: Login, attempt: _Attempt) -> Generator[_NamedKey, None, None]:
    """Yield the keys to try with what they are: those named by the operator, the agent's, those that lie about."""
    offered = set()
    for path in settings.keys:
        try:
            key = load(path, login)
        except Unusable as problem:
            raise refusals.key_file(settings.address, path, problem) from None
        offered.add(key.asbytes())
        yield f"key {path}", key
    files = [path for path in settings.more_keys if path.is_file()]
    wanted = {_public(path) for path in files} if settings.only_these_keys else None
    with _agent_keys() as held:
        for agent_key in held:
            public = agent_key.asbytes()
            if public not in offered and (wanted is None or public in wanted):
                offered.add(public)
                yield f"agent's key {agent_key.comment}".rstrip(), agent_key
    for path in files:
        # Asking for a passphrase is pointless when the agent has offered the key.
        if _public(path) in offered:
            continue
        try:
            yield f"key {path}", load(path, login)
        except Unusable as problem:
            attempt.tried.append(f"key {path} not usable ({problem})")


def load(path: Path, login: Login) -> paramiko.PKey:
    """Return a private key; asks for its passphrase once.

    Raises:
        Unusable: it is not there, not readable, not a key, or its passphrase is unknown or wrong.
    """
    try:
        return _load(path, None)
    except paramiko.PasswordRequiredException:
        pass
    passphrase = login.passphrase_of(path)
    if passphrase is None:
        raise Unusable("it has a passphrase, and there is no terminal to ask for it: use ssh-agent")
    try:
        return _load(path, passphrase.reveal())
    except Unusable:
        raise Unusable("the passphrase is wrong") from None


def _load(path: Path, passphrase: str | None) -> paramiko.PKey:
    try:
        content = path.read_text(errors="replace")
    except OSError as problem:
        raise Unusable(problem.strerror or str(problem)) from None
    return _parsed(content, passphrase)


# By content, not by path: one file may hold another key a moment later. Unlocking takes a tenth of a second each.
@functools.lru_cache(maxsize=64)
def _parsed(content: str, passphrase: str | None) -> paramiko.PKey:
    for key_class in _KEY_CLASSES:
        try:
            return key_class.from_private_key(io.StringIO(content), password=passphrase)
        except paramiko.PasswordRequiredException:
            raise
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise Unusable("it is not a private key of type ed25519, ecdsa or rsa")


def _public(path: Path) -> bytes:
    """Return the public key that stands beside a private one; nothing when there is none."""
    for candidate in (path, Path(f"{path}.pub")):
        try:
            words = candidate.read_text().split()
            return paramiko.PKey.from_type_string(words[0], base64.b64decode(words[1])).asbytes()
        except (OSError, ValueError, IndexError, UnknownKeyType, paramiko.SSHException):
            continue
    return b""


@contextlib.contextmanager
def _agent_keys() -> Iterator[tuple[paramiko.AgentKey, ...]]:
    try:
        agent = paramiko.Agent()
    except (paramiko.SSHException, OSError):
        # What SSH_AUTH_SOCK names does not answer as an agent does.
        yield ()
        return
    try:
        yield agent.get_keys()
    finally:
        agent.close()
