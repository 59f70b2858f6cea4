"""Paramiko without its waiting: what can follow without an answer does, and each saves a round trip per host."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import paramiko
from paramiko.auth_handler import AuthOnlyHandler
from paramiko.common import cMSG_CHANNEL_REQUEST, cMSG_SERVICE_REQUEST, cMSG_USERAUTH_REQUEST
from paramiko.transport import ServiceRequestingTransport

# What goes wrong is told by our own errors; without a handler Python would print it to the terminal.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class Transport(ServiceRequestingTransport):
    """A transport that asks for the login service and logs in at once.

    RFC 4253 section 10 has the client wait only where the server has not proved who it is, and it has.
    """

    def ensure_session(self) -> None:
        """Ask for the login service unless that was done."""
        if not self.is_active():
            raise paramiko.SSHException("the host ended the connection")
        if self.auth_handler is None:
            message = paramiko.Message()
            message.add_byte(cMSG_SERVICE_REQUEST)
            message.add_string("ssh-userauth")
            _send(self, message)
            self.auth_handler = self.get_auth_handler()

    def get_auth_handler(self) -> AuthOnlyHandler:
        """Return what logs in."""
        return _AuthHandler(self)


class _AuthHandler(AuthOnlyHandler):
    def send_auth_request(
        self, username: str, method: str, finish_message: Callable[[paramiko.Message], object] | None = None
    ) -> Any:
        """Send a request and wait for the answer.

        That of paramiko 5.1 starts to listen only after it has sent, and misses an answer that comes at once; and it
        cannot send the method ``none``.
        """
        self.auth_method, self.username = method, username
        message = paramiko.Message()
        message.add_byte(cMSG_USERAUTH_REQUEST)
        for text in (username, "ssh-connection", method):
            message.add_string(text)
        if finish_message is not None:
            finish_message(message)
        self.auth_event = threading.Event()
        with self.transport.lock:
            _send(self.transport, message)
        return self.wait_for_response(self.auth_event)


def execute(channel: paramiko.Channel, line: str) -> None:
    """Ask for a command without waiting for the answer, as ``Channel.exec_command`` does.

    A refusal closes the channel, which reads as the end of the stream.
    """
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string("exec")
    message.add_boolean(True)
    message.add_string(line)
    transport: Any = channel.get_transport()
    transport._send_user_message(message)


def _send(transport: Any, message: paramiko.Message) -> None:
    transport._send_message(message)
