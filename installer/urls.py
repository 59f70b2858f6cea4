"""Addresses with a login in them, as OpenStack's services read them from their configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from installer.addresses import bracketed
from installer.errors import AnswerFileError
from installer.ports import PORTS
from installer.resources.secret import Secret

#: Where the dashboard is below the controller's address, as RDO's users know it.
DASHBOARD = "/dashboard"


def database_url(user: str, password: Secret, host: str, database: str, port: int = 3306) -> Secret:
    """Return SQLAlchemy's address of a MariaDB database through PyMySQL.

    PyMySQL turns a password into bytes as Latin-1 (``Connection.__init__``), which cannot hold most of Unicode. So the
    address carries the UTF-8 bytes of the password, each read as one Latin-1 character: PyMySQL's bytes are then the
    very ones whose hash the server keeps.

    Args:
        host: a name or an address, IPv6 without brackets.
    """
    bytes_as_characters = password.reveal().encode().decode("latin-1")
    return Secret(
        f"mysql+pymysql://{_escaped(user)}:{_escaped(bytes_as_characters)}@{bracketed(host)}:{port}/{_escaped(database)}"
    )


def queue_url(user: str, password: Secret, hosts: Sequence[str], port: int = 5672, vhost: str = "/") -> Secret:
    """Return oslo.messaging's ``transport_url`` of RabbitMQ.

    Args:
        hosts: names or addresses of all its nodes, IPv6 without brackets.
        port: the same on all.

    Raises:
        AnswerFileError: a slash in user or password, which oslo.messaging cannot hand on: it quotes them once more for
            kombu, but leaves the slash as it is (``_transform_transport_url`` of its rabbit driver, 18.3).
    """
    if "/" in user + password.reveal():
        raise AnswerFileError(
            "user and password of the message queue must not hold a slash: oslo.messaging cannot log in with it",
            "take another CONFIG_AMQP_AUTH_USER or CONFIG_AMQP_AUTH_PASSWORD",
        )
    login = f"{_escaped(user)}:{_escaped(password.reveal())}"
    nodes = ",".join(f"{login}@{bracketed(host)}:{port}" for host in hosts)
    return Secret(f"rabbit://{nodes}/{'' if vhost == '/' else _escaped(vhost)}")


def identity_url(answers: Mapping[str, Any]) -> str:
    """Return the address of the identity API, as endpoints, clients and services write it.

    Args:
        answers: the answer file; the controller's address is taken as it is written there.
    """
    return api_url(answers, "keystone", "/v3")


def api_url(answers: Mapping[str, Any], api: str, path: str = "") -> str:
    """Return the address of an API behind HAProxy, as endpoints, clients and services write it.

    Args:
        answers: the answer file; the controller's address is taken as it is written there.
        api: its name in ``installer.ports``.
        path: what comes after the port, such as ``/v2.1``.
    """
    return f"https://{bracketed(str(answers['CONFIG_CONTROLLER_HOST']))}:{PORTS[api]}{path}"


def dashboard_url(answers: Mapping[str, Any]) -> str:
    """Return the address of the dashboard, as users type it.

    Args:
        answers: the answer file; the controller's address is taken as it is written there.
    """
    return f"https://{bracketed(str(answers['CONFIG_CONTROLLER_HOST']))}{DASHBOARD}/"


def _escaped(text: str) -> str:
    return quote(text, safe="")
