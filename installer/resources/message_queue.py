"""An account of the message queue, RabbitMQ."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Dict, List, Optional, Sequence, Tuple

from installer.agent.host import CommandFailed, Host
from installer.resources import amqp
from installer.resources.base import Actual, CannotFix, Resource, State, Unknown
from installer.resources.secret import Secret

#: A server under load takes its time to open a virtual host; one that listens answers at once.
ANSWER_SECONDS = 10.0
START_SECONDS = 60.0
#: How many logins are tried side by side.
LOGINS = 8

#: The account that RabbitMQ runs as, on every platform.
OWNER = "rabbitmq"
#: Exit code of rabbitmqctl (EX_UNAVAILABLE of sysexits.h) when the node cannot be reached.
NO_NODE = 69

_EVERYTHING = ".*"


@dataclasses.dataclass(frozen=True)
class QueueAccount(Resource):
    """An account of RabbitMQ with all permissions on one virtual host, both made where they are missing.

    Its state is whether it can log in over AMQP: what the services do, at a fraction of the cost of ``rabbitmqctl``.
    The fix runs on the host of the server.

    Args:
        user: its name.
        password: any text; None: the user's name, as RabbitMQ's own guest account has it.
        vhost: the virtual host.
        tags: such as ``administrator``.
        host: where the server listens.
        port: its AMQP port.
        ca_file: CA certificates (PEM); given, the login goes over TLS.
        absent: no such account may log in with this password. For the guest account, which every local process
            knows and which may do everything.
    """

    kind: ClassVar[str] = "queue-account"

    user: str
    password: Optional[Secret] = None
    vhost: str = "/"
    tags: Tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 5672
    ca_file: Optional[str] = None
    absent: bool = False

    @property
    def name(self) -> str:
        return self.user if self.vhost == "/" else f"{self.user}@{self.vhost}"

    def expected(self) -> State:
        return None if self.absent else {"login": True, "vhost": self.vhost}

    @property
    def text(self) -> str:
        """The password as text."""
        return self.user if self.password is None else self.password.reveal()

    @classmethod
    def query(cls, resources: Sequence[QueueAccount], host: Host) -> Dict[str, Actual]:
        with ThreadPoolExecutor(max_workers=LOGINS) as pool:
            return dict(zip((item.id for item in resources), pool.map(_state, resources)))

    def fix(self, actual: Actual, host: Host) -> None:
        self.fix_all([(self, actual)], host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[QueueAccount, Actual]], host: Host) -> None:
        accounts = [account for account, _ in differing]
        for account in accounts:
            _wait_for_server(account)
        # As its own account. As root it calls su, and where SELinux enforces, systemd-logind then loses its connection
        # to the message bus: each later login takes 25 s (Debian 13, policy 2:2.20250213, systemd 257).
        done = host.run(
            ["rabbitmqctl", "eval"],
            user=OWNER,
            stdin=Secret(program(accounts)),
            timeout=120,
            expect=(0, NO_NODE),
        )
        if done.code == NO_NODE:
            raise CommandFailed(
                done, "rabbitmqctl does not reach the node of rabbitmq-server: see that this host's own name resolves"
            )
        # `eval` ends with code 0 whatever the program found.
        if done.out.strip() != "ok":
            raise CommandFailed(done, "rabbitmqctl could not set the accounts")

    def diagnose(self, host: Host) -> List[str]:
        done = host.run(["journalctl", "-u", "rabbitmq-server", "-n", "10", "--no-pager", "-o", "cat"], expect=None)
        return done.out.splitlines()


def _state(account: QueueAccount) -> Actual:
    try:
        with contextlib.closing(amqp.connect(account.host, account.port, account.ca_file, ANSWER_SECONDS)) as stream:
            amqp.login(stream, account.user, account.text, account.vhost)
        return {"login": True, "vhost": account.vhost}
    except amqp.Refused as refused:
        return state_of_refusal(refused, account.vhost)
    except (OSError, amqp.NotAmqp) as problem:
        return Unknown(f"rabbitmq does not answer on {account.host}:{account.port} yet: {problem}")


def state_of_refusal(refused: amqp.Refused, vhost: str) -> Actual:
    """Return the state that a refused login stands for.

    Args:
        refused: the server's answer: 403 the account or its password, 530 the virtual host.
        vhost: the virtual host asked for.
    """
    if refused.code == 403:
        return None
    if refused.code == 530:
        return {"login": True, "vhost": f"no permission on {vhost}"}
    return Unknown(f"rabbitmq closed the connection: {refused}")


def _wait_for_server(account: QueueAccount) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        state = _state(account)
        if not isinstance(state, Unknown):
            return
        if time.monotonic() > deadline:
            raise CannotFix(f"{state.reason} (waited {START_SECONDS:.0f} s); see that rabbitmq-server runs")
        time.sleep(0.5)


def password_hash(password: str, salt: bytes) -> str:
    """Return a password as RabbitMQ keeps it: base64 of the salt and the SHA-256 of salt and password.

    Source: https://www.rabbitmq.com/docs/passwords#computing-password-hash

    Args:
        salt: 4 bytes.
    """
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def definitions(accounts: Sequence[QueueAccount], salt: bytes) -> Dict[str, Any]:
    """Return what RabbitMQ imports to have the accounts, their virtual hosts and permissions."""
    return {
        "users": [
            {
                "name": account.user,
                "password_hash": password_hash(account.text, salt),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": list(account.tags),
            }
            for account in accounts
        ],
        "vhosts": [{"name": vhost} for vhost in sorted({account.vhost for account in accounts})],
        "permissions": [
            {
                "user": account.user,
                "vhost": account.vhost,
                "configure": _EVERYTHING,
                "write": _EVERYTHING,
                "read": _EVERYTHING,
            }
            for account in accounts
        ],
    }


def program(accounts: Sequence[QueueAccount]) -> str:
    """Return the Erlang expression that makes the accounts true, for the standard input of ``rabbitmqctl eval``.

    Not ``rabbitmqctl import_definitions``: it never reads its standard input in RabbitMQ 4.0, and a file for it would
    have to be readable by another account. Every text is a list of byte values, so nothing needs quoting.
    """
    wanted = [account for account in accounts if not account.absent]
    calls = [
        f"case rabbit_auth_backend_internal:exists({binary(account.user)}) of"
        f' true -> rabbit_auth_backend_internal:delete_user({binary(account.user)}, <<"pystack">>);'
        " false -> ok end"
        for account in accounts
        if account.absent
    ]
    if wanted:
        text = json.dumps(definitions(wanted, os.urandom(4)))
        calls.append(f"rabbit_definitions:import_raw({binary(text)})")
    return ", ".join(f"ok = {call}" for call in calls) + ", ok."


def binary(text: str) -> str:
    """Return a text as an Erlang binary of its UTF-8 bytes."""
    return f"<<{','.join(map(str, text.encode()))}>>"
