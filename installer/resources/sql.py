"""A session with a MariaDB server through its own client: SQL on standard input, rows back. Quoting is done here."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

from installer.agent.host import CommandFailed, Completed, Host
from installer.resources import leftovers
from installer.resources.base import Unknown
from installer.resources.secret import Secret

#: On a temporary file system, for option files that live as long as one session.
RUN = "/run/pystack"

#: Makes quoting mean the same on every server, and ``utf8`` the three-byte one where the server knows both.
PRELUDE = "SET SESSION sql_mode = '';\n/*M!100600 SET SESSION old_mode = 'UTF8_IS_UTF8MB3' */;\n"

_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\x1a": "\\Z"}
_UNESCAPES = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
#: Answers of the client to a server that is not there: no socket, no connection, no such name, or lost on the way.
_NO_SERVER = re.compile(r"ERROR (2002|2003|2005|2013|2026)\b")
_DENIED = re.compile(r"ERROR (1045|1698)\b")
#: What the client prints of a statement that the server refused; without it the client itself has failed.
_ERROR = re.compile(r"^ERROR \d", re.MULTILINE)


class DatabaseServer(NamedTuple):
    """A MariaDB server and how its administrator logs in.

    Args:
        host: its address; empty for the one on this host, over its Unix socket as root.
        port: its port, where there is an address.
        user: the administrator.
        password: used over the network; and over the socket where being root is not enough.
        ca_file: CA certificates (PEM); given, the server must prove itself over TLS.
    """

    host: str = ""
    port: int = 3306
    user: str = "root"
    password: Optional[Secret] = None
    ca_file: str = ""


#: The server on this host, over its socket.
LOCAL = DatabaseServer()


def literal(text: str) -> str:
    """Return a text as an SQL string literal, on one line. Holds for the sql_mode that PRELUDE sets."""
    return "'" + "".join(_ESCAPES.get(character, character) for character in text) + "'"


def identifier(name: str) -> str:
    """Return a name as a quoted SQL identifier.

    Raises:
        ValueError: empty, or with a control character.
    """
    if not name or any(ord(character) < 32 for character in name):
        raise ValueError(f"{name!r} cannot be the name of a database")
    return "`" + name.replace("`", "``") + "`"


def account(user: str, host: str) -> str:
    """Return an account's name as SQL writes it."""
    return f"{literal(user)}@{literal(host)}"


def pattern(database: str) -> str:
    """Return the pattern that a grant on one database needs: ``_`` and ``%`` are wildcards there."""
    return re.sub(r"([\\_%])", r"\\\1", database)


def password_hash(password: str) -> str:
    """Return what ``mysql_native_password`` keeps of a password: ``*`` and SHA1(SHA1(UTF-8 bytes)) in hex.

    Source: https://mariadb.com/kb/en/authentication-plugin-mysql_native_password/
    """
    inner = hashlib.sha1(password.encode()).digest()  # noqa: S324 - the server's own format
    return "*" + hashlib.sha1(inner).hexdigest().upper()  # noqa: S324


def rows(text: str) -> List[Dict[str, str]]:
    """Return the rows of a batch session as dicts.

    Args:
        text: output with column names, of result sets whose first column is called ``kind``: a line that begins so
            is the head of the lines below it.
    """
    found = []
    head: List[str] = []
    for line in text.splitlines():
        cells = [_unescape(cell) for cell in line.split("\t")]
        if cells[0] == "kind":
            head = cells
        else:
            found.append(dict(zip(head, cells)))
    return found


def _unescape(cell: str) -> str:
    return re.sub(r"\\(.)", lambda found: _UNESCAPES.get(found.group(1), found.group(0)), cell)


def option_file(password: str) -> str:
    """Return the text of a client option file with a password.

    Source: https://mariadb.com/kb/en/configuring-mariadb-with-option-files/#option-file-syntax
    """
    quoted = password.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    quoted = quoted.replace("\t", "\\t")
    return f'[client]\npassword = "{quoted}"\n'


def ask(server: DatabaseServer, statements: str, host: Host) -> List[Dict[str, str]]:
    """Run statements in one session and return the rows of their results.

    Raises:
        CommandFailed: the server is not there, refuses the login, or a statement.
    """
    done = _session(server, statements, host, use_password=bool(server.host))
    if done.code and _DENIED.search(done.err) and server.password is not None and not server.host:
        done = _session(server, statements, host, use_password=True)
    if done.code:
        raise CommandFailed(done, _reason(done))
    return rows(done.out)


def _reason(done: Completed) -> str:
    said = (done.err.strip().splitlines() or ["the mariadb client failed"])[-1]
    return f"{said}; is CONFIG_MARIADB_PW the administrator's password?" if _DENIED.search(done.err) else said


def why_unknown(failed: CommandFailed, server: DatabaseServer) -> Optional[Unknown]:
    """Return why nothing can be known of a server from a failed session; None if the failure is another one."""
    where = f"mariadb on {server.host}" if server.host else "mariadb"
    if failed.completed.code == 127:
        return Unknown("the mariadb client is not installed yet")
    if _NO_SERVER.search(failed.completed.err):
        return Unknown(f"{where} does not run yet" if not server.host else f"{where} cannot be reached")
    if _DENIED.search(failed.completed.err):
        return Unknown(f"{where} refuses the login of {server.user}")
    said = failed.completed.err.strip().splitlines()
    if said and not _ERROR.search(failed.completed.err):
        return Unknown(f"the mariadb client fails: {said[0]}")
    return None


def _session(server: DatabaseServer, statements: str, host: Host, use_password: bool) -> Completed:
    argv = ["--batch", "--column-names", "--binary-mode", "--default-character-set=utf8mb4"]
    argv += ["--connect-timeout=10", f"--user={server.user}"]
    if server.host:
        argv += ["--protocol=tcp", f"--host={server.host}", f"--port={server.port}"]
    else:
        argv += ["--protocol=socket"]
    if server.ca_file:
        argv += [f"--ssl-ca={server.ca_file}", "--ssl-verify-server-cert"]
    elif server.host:
        argv += ["--skip-ssl-verify-server-cert"]
    with contextlib.ExitStack() as stack:
        first = ["mariadb"]
        if use_password and server.password is not None:
            first.append(f"--defaults-extra-file={stack.enter_context(_kept_for_a_moment(server.password))}")
        # HOME is where the client would look for an operator's own options.
        return host.run([*first, *argv], stdin=PRELUDE + statements, env={"HOME": "/"}, expect=None, timeout=120)


@contextlib.contextmanager
def _kept_for_a_moment(password: Secret) -> Iterator[str]:
    os.makedirs(RUN, mode=0o755, exist_ok=True)
    leftovers.sweep(RUN, "client.", ".cnf", shared=True)
    descriptor, path = tempfile.mkstemp(prefix=leftovers.own("client."), suffix=".cnf", dir=RUN)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(option_file(password.reveal()))
        yield path
    finally:
        os.unlink(path)


def by_server(resources: Sequence[Any]) -> Dict[DatabaseServer, List[Any]]:
    """Return resources by their ``server``."""
    found: Dict[DatabaseServer, List[Any]] = {}
    for resource in resources:
        found.setdefault(DatabaseServer(*resource.server), []).append(resource)
    return found
