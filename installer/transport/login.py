"""How to log in to the hosts: what the operator gave, and what was asked for once on a terminal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from installer.resources.secret import Secret


def _ssh_config() -> tuple[Path, ...]:
    return (Path("~/.ssh/config").expanduser(), Path("/etc/ssh/ssh_config"))


@dataclass
class Login:
    """One set of credentials and answers for all hosts; safe to use from several threads.

    Args:
        user: the account; None takes the one in ~/.ssh/config, else root.
        port: TCP port; None takes the one in ~/.ssh/config, else 22. With another than 22 this machine, too, is
            reached over SSH.
        private_key: files to try before all other keys; a public key's file stands for the private one beside it.
        known_hosts: files to read besides those of OpenSSH.
        fingerprints: host key by address, as ``SHA256:...``, from the answer file.
        password: for password logins, and for sudo when there is no ``sudo_password``.
        sudo_password: for sudo.
        ask: returns a secret typed in by the operator after a prompt; None without a terminal.
        confirm: returns whether the operator agrees to a question; None without a terminal.
        timeout: seconds until a host that does not answer is given up.
        ssh_config: files in the format of ssh_config(5), the first that sets a value wins.
    """

    user: str | None = None
    port: int | None = None
    private_key: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    password: Secret | None = None
    sudo_password: Secret | None = None
    ask: Callable[[str], Secret] | None = None
    confirm: Callable[[str], bool] | None = None
    timeout: float = 20.0
    ssh_config: tuple[Path, ...] = field(default_factory=_ssh_config)
    _asking: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _passphrases: dict[Path, Secret | None] = field(default_factory=dict, repr=False)

    def password_of(self, user: str, address: str) -> Secret | None:
        """Return the password to log in with; asks for it the first time, None without a terminal."""
        with self._asking:
            if self.password is None and self.ask is not None:
                self.password = self.ask(f"Password of {user} on {address}, and on every host that wants one: ")
            return self.password

    def sudo_password_of(self, user: str, address: str) -> Secret | None:
        """Return the password for sudo; asks for it the first time, None without a terminal."""
        with self._asking:
            if self.sudo_password is None:
                self.sudo_password = self.password
            if self.sudo_password is None and self.ask is not None:
                self.sudo_password = self.ask(
                    f"Password for sudo of {user} on {address}, and on every host that wants one: "
                )
            return self.sudo_password

    def passphrase_of(self, key: Path) -> Secret | None:
        """Return the passphrase of a private key; asks for it the first time, None without a terminal."""
        with self._asking:
            if key not in self._passphrases:
                self._passphrases[key] = self.ask(f"Passphrase of the key {key}: ") if self.ask else None
            return self._passphrases[key]

    def agrees(self, question: str, still_open: Callable[[], bool], keep: Callable[[], None]) -> bool:
        """Ask the operator a yes-no question, one at a time.

        Args:
            question: what to agree to.
            still_open: says whether the question still stands when its turn has come.
            keep: keeps the answer if it is yes, before the next question's turn.

        Returns:
            True when the operator agreed, or the question did not stand any more.
        """
        with self._asking:
            if not still_open():
                return True
            agreed = self.confirm is not None and self.confirm(question)
            if agreed:
                keep()
            return agreed
