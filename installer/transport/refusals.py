"""Why a host cannot be reached, in the operator's words: one function for each way it can go wrong."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Sequence

from installer.errors import HostUnreachable
from installer.transport.known_hosts import Known, fingerprint


def at(hostname: str, port: int) -> str:
    """Return where a connection goes, in words."""
    return f"{hostname} port {port}"


def network(address: str, where: str, problem: OSError, timeout: float) -> HostUnreachable:
    """Return the error for a TCP connection that did not come about.

    Args:
        address: of the host, from the answer file.
        where: what was connected to; see ``at``.
        problem: what the operating system said.
        timeout: seconds that were waited.
    """
    if isinstance(problem, socket.gaierror):
        return HostUnreachable(
            address,
            f"{address}: no such name: the name service of this machine does not know {where.split(' port ')[0]}",
            "check the spelling; or put the name into DNS or into /etc/hosts of this machine; or use an IP address",
        )
    if isinstance(problem, TimeoutError) or problem.errno == errno.ETIMEDOUT:
        return HostUnreachable(
            address,
            f"{address}: no answer from {where} within {timeout:.0f} s",
            "check that the host is up, that the address is right, and that no firewall drops the connection",
        )
    if problem.errno == errno.ECONNREFUSED:
        return HostUnreachable(
            address,
            f"{address}: {where} refused the connection: the host is up, but nothing listens there",
            "start sshd on the host; or give the port it listens on: CONFIG_SSH_PORT, or ~/.ssh/config",
        )
    if problem.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return HostUnreachable(
            address,
            f"{address}: no route to {where} from this machine",
            "check that the host is up and the address is right, and the routes of this machine (`ip route get`)",
        )
    return HostUnreachable(
        address, f"{address}: cannot connect to {where}: {problem.strerror or problem}", "check the address"
    )


def not_ssh(address: str, where: str, problem: object) -> HostUnreachable:
    """Return the error for a connection that ended before host and controller had agreed on anything."""
    return HostUnreachable(
        address,
        f"{address}: {where} took the connection, but no SSH session came about: {problem}",
        "check that sshd listens there and lets this machine in (MaxStartups, /etc/hosts.deny, a firewall);"
        " its own words are in the host's journal: journalctl -u ssh -u sshd",
    )


def through(address: str, hop: str, problem: object) -> HostUnreachable:
    """Return the error for a jump host that does not lead on to the host."""
    return HostUnreachable(
        address,
        f"{address}: the jump host {hop} cannot reach it: {problem}",
        "check from there that the host is up and the address right; sshd on it must allow AllowTcpForwarding",
    )


def key_unknown(address: str, name: str, kind: str, key: bytes, files: Sequence[object]) -> HostUnreachable:
    """Return the error for a host whose key nobody vouches for."""
    return HostUnreachable(
        address,
        f"{address}: its host key is not known: {kind} {fingerprint(key)}\n"
        f"  {name} is in none of {', '.join(str(file) for file in files)}",
        "compare it with what the host itself says (on its console: ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub); when\n"
        "they are the same, run pystack on a terminal, where it asks, or put this into the answer file:\n"
        f"CONFIG_SSH_HOST_KEYS={address}={fingerprint(key)}",
    )


def key_changed(address: str, name: str, kind: str, key: bytes, known: Known) -> HostUnreachable:
    """Return the error for a host that shows another key than the one on file."""
    return HostUnreachable(
        address,
        f"{address}: its host key has CHANGED, or another machine answers for it\n"
        f"  it shows  {kind} {fingerprint(key)}\n"
        f"  known is  {known.kind} {fingerprint(known.key)} ({known.file}, line {known.line})",
        "find out why before you go on. If the host was made anew, and its console shows the new fingerprint"
        " (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), remove the old key:"
        f" ssh-keygen -f {known.file} -R '{name}'",
    )


def key_revoked(address: str, kind: str, key: bytes, known: Known) -> HostUnreachable:
    """Return the error for a host that shows a key marked as revoked."""
    return HostUnreachable(
        address,
        f"{address}: its host key {kind} {fingerprint(key)} is marked as revoked ({known.file}, line {known.line})",
        "give the host a new key, or take the mark away if it is wrong",
    )


def key_differs(address: str, kind: str, key: bytes, wanted: str) -> HostUnreachable:
    """Return the error for a host that shows another key than the answer file says."""
    return HostUnreachable(
        address,
        f"{address}: its host key is not the one in the answer file\n"
        f"  it shows  {kind} {fingerprint(key)}\n"
        f"  expected  {wanted}",
        "find out why before you go on: the host was made anew, or another machine answers for it, or the"
        f" fingerprint is that of a key of another type than {kind}",
    )


def key_file(address: str, path: object, problem: object) -> HostUnreachable:
    """Return the error for a private key that was named and cannot be used."""
    return HostUnreachable(
        address,
        f"{address}: the private key {path} cannot be used: {problem}",
        "name a private key that OpenSSH can read (ssh-keygen -yf FILE shows whether it does)",
    )


def login_refused(
    address: str, user: str, tried: Sequence[str], allowed: Sequence[str], reason: str = ""
) -> HostUnreachable:
    """Return the error for a login that the host refused.

    Args:
        address: of the host.
        user: the account.
        tried: what was offered, in words.
        allowed: methods that the host takes, as far as it said.
        reason: what ended it, when it was not a plain refusal.
    """
    offered = ", ".join(tried) or "nothing: there is no key, no agent and no password"
    takes = f"; the host takes: {', '.join(allowed)}" if allowed else ""
    why = f" ({reason})" if reason else ""
    remedy = (
        f"let this machine in: ssh-copy-id {user}@{address}; or name the right user and key:"
        " CONFIG_SSH_USER and CONFIG_SSH_KEY, or ~/.ssh/config"
    )
    if user == "root" and any(word.startswith("password") for word in tried):
        remedy += "; many hosts take no password from root (PermitRootLogin): log in as a user who may use sudo"
    return HostUnreachable(address, f"{address}: the login as {user} was refused{why}; tried: {offered}{takes}", remedy)


# What sudo says (in the C locale; also that of sudo-rs), what it means, and what helps.
_SUDO: tuple[tuple[str, str, str], ...] = (
    (
        r"must have a tty|no tty present and no askpass|requiretty",
        "sudo wants a terminal for {user} (requiretty)",
        "put 'Defaults:{user} !requiretty' into a file in /etc/sudoers.d on the host",
    ),
    (
        r"not in the sudoers file|is not allowed to|may not run sudo|not allowed to execute|I'm sorry \S+\. I'm afraid",
        "{user} may not become root with sudo",
        "allow it on the host (usermod -aG sudo {user}, or wheel on the RHEL family), or log in as another user",
    ),
    (
        r"sudo: (command )?not found|exec: sudo|sudo: No such file",
        "{user} is not root, and there is no sudo on the host",
        "install sudo there and allow {user} to use it, or log in as root",
    ),
    (
        r"password.*expired|account.*expired|account validation failure",
        "the account {user} has expired on the host",
        "renew it there (passwd {user}, chage {user})",
    ),
    (
        r"too many authentication failures|account.*locked|temporarily locked",
        "the account {user} is locked on the host after wrong passwords",
        "unlock it there (faillock --user {user} --reset)",
    ),
)


def sudo(address: str, user: str, said: str, asked: bool, given: bool) -> HostUnreachable:
    """Return the error for a user who could not become root.

    Args:
        address: of the host.
        user: the account logged in as.
        said: what sudo wrote to its standard error, and what came on standard output before the command.
        asked: whether sudo asked for a password.
        given: whether one was given.
    """
    for pattern, message, remedy in _SUDO:
        if re.search(pattern, said, re.IGNORECASE):
            return HostUnreachable(address, f"{address}: {message.format(user=user)}", remedy.format(user=user))
    if asked and not given:
        return HostUnreachable(
            address,
            f"{address}: sudo wants the password of {user}, and there is none",
            f"run pystack on a terminal, where it asks for it; or allow {user} to use sudo without one (NOPASSWD)",
        )
    if asked:
        return HostUnreachable(
            address,
            f"{address}: sudo does not take the password for {user}",
            "check it on the host: sudo -k; sudo -v. One password serves all hosts: it must be the same on each",
        )
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    return HostUnreachable(
        address,
        f"{address}: {user} could not become root with sudo: {last.strip()}",
        f"try it by hand: ssh {user}@{address} sudo -n true",
    )
