"""Logging in and becoming root on real hosts: passwords, sudo in all its moods, login shells, a host without Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from installer import lab
from installer.engine.session import AgentSession
from installer.errors import HostUnreachable
from installer.resources.secret import Secret
from installer.transport import Connection
from installer.transport.connect import connect
from installer.transport.login import Login
from installer.transport.python import PythonMissing, install_python
from tests.lab import on_platform

pytestmark = [pytest.mark.lab, pytest.mark.shows("transport")]

PASSWORD = 'it\'s $(a) "p%ss" wörd'


@pytest.fixture(scope="module")
def host() -> Iterator[lab.LabHost]:
    """A host whose only login is a user with a password for SSH and sudo."""
    yield lab.up(["tr-sudo"], sudo_user="ops", sudo_password=PASSWORD)[0]
    lab.down(["tr-sudo"])


@pytest.fixture
def sudoers(host: lab.LabHost) -> Iterator[Any]:
    """Write a rule of sudo for the length of a test."""
    rule = host.root / "etc/sudoers.d/zz-test"

    def write(text: str) -> None:
        rule.write_text(text + "\n")
        rule.chmod(0o440)

    yield write
    rule.unlink()


def login(host: lab.LabHost, **changes: Any) -> Login:
    given: dict[str, Any] = {"user": "ops", "private_key": (host.private_key,), **changes}
    return Login(known_hosts=(host.known_hosts,), ssh_config=(), **given)


def works(connection: Connection) -> bool:
    session = AgentSession(connection, lambda event: None, {})
    try:
        return session.probe({}).result(60)["facts"] != {}
    finally:
        session.close()
        connection.close()


def test_a_user_with_a_key_becomes_root_with_the_sudo_password(host: lab.LabHost) -> None:
    assert works(connect(host.address, login(host, sudo_password=Secret(PASSWORD))))


def test_one_password_serves_login_and_sudo_and_is_asked_for_once(host: lab.LabHost) -> None:
    prompts: list[str] = []

    def ask(prompt: str) -> Secret:
        prompts.append(prompt)
        return Secret(PASSWORD)

    shared = login(host, private_key=(), ask=ask)
    assert works(connect(host.address, shared))
    assert works(connect(host.address, shared))
    assert len(prompts) == 1
    assert f"ops on {host.address}" in prompts[0]


def test_the_sudo_password_is_in_no_argument_list_and_no_environment(host: lab.LabHost) -> None:
    connection = connect(host.address, login(host, sudo_password=Secret(PASSWORD)))
    stream = connection.start(["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ"])
    seen = b""
    while data := stream.read(1 << 16):
        seen += data
    assert b"pystack-is-root" in seen
    assert PASSWORD.encode() not in seen
    stream.close()
    connection.close()


def test_a_wrong_sudo_password_is_tried_once_and_refused(host: lab.LabHost, sudoers: Any) -> None:
    sudoers('Defaults:ops logfile="/var/log/sudo-test", lecture=always')
    connection = connect(host.address, login(host, sudo_password=Secret("wrong")))
    with pytest.raises(HostUnreachable, match="sudo does not take the password for ops"):
        AgentSession(connection, lambda event: None, {})
    connection.close()
    told = " ".join((host.root / "var/log/sudo-test").read_text().split())
    assert "1 incorrect password attempt" in told


def test_no_sudo_password_and_no_terminal_is_refused_at_once(host: lab.LabHost) -> None:
    connection = connect(host.address, login(host))
    with pytest.raises(HostUnreachable, match="sudo wants the password of ops, and there is none"):
        AgentSession(connection, lambda event: None, {})
    connection.close()


def test_sudo_without_a_password_is_not_asked_for_one(host: lab.LabHost, sudoers: Any) -> None:
    sudoers("ops ALL=(ALL) NOPASSWD: ALL")
    assert works(connect(host.address, login(host)))


def test_sudo_that_wants_a_terminal_is_told_as_such(host: lab.LabHost, sudoers: Any) -> None:
    sudoers("Defaults:ops requiretty")
    connection = connect(host.address, login(host, sudo_password=Secret(PASSWORD)))
    with pytest.raises(HostUnreachable, match=r"wants a terminal for ops \(requiretty\)"):
        AgentSession(connection, lambda event: None, {})
    connection.close()


def test_a_user_who_may_not_use_sudo_is_told_as_such(host: lab.LabHost, sudoers: Any) -> None:
    sudoers("ops ALL=(ALL) !ALL")
    connection = connect(host.address, login(host, sudo_password=Secret(PASSWORD)))
    with pytest.raises(HostUnreachable, match="ops may not become root with sudo"):
        AgentSession(connection, lambda event: None, {})
    connection.close()


def test_a_wrong_login_password_says_what_was_tried(host: lab.LabHost) -> None:
    with pytest.raises(HostUnreachable, match="tried: password; the host takes: publickey, password"):
        connect(host.address, login(host, private_key=(), password=Secret("wrong")))


def test_root_is_refused_where_the_host_refuses_root(host: lab.LabHost) -> None:
    with pytest.raises(HostUnreachable) as refused:
        connect(host.address, login(host, user="root", private_key=(), password=Secret(PASSWORD)))
    assert "log in as a user who may use sudo" in refused.value.remedy


@pytest.mark.parametrize("shell", ["tcsh", "fish", "zsh"])
def test_any_login_shell_will_do(host: lab.LabHost, sudoers: Any, shell: str) -> None:
    sudoers("ops ALL=(ALL) NOPASSWD: ALL")
    if shell == "fish" and host.platform.startswith("el-"):
        pytest.skip("of EL only EPEL has fish")
    on_platform.add_packages(host, shell)
    path = host.run(f"command -v {shell}", check=True).stdout.strip()
    host.run(f"sudo usermod --shell {path} ops", check=True)
    try:
        assert works(connect(host.address, login(host)))
    finally:
        host.run("sudo usermod --shell /bin/bash ops", check=True)


@pytest.mark.shows("python-missing")
def test_a_host_without_python_gets_it() -> None:
    host = on_platform.up_without_python("tr-bare")
    try:
        connection = connect(host.address, login(host, user="root"))
        with pytest.raises(PythonMissing, match="no Python"):
            AgentSession(connection, lambda event: None, {}).probe({}).result(60)
        install_python(connection)
        assert works(connection)
    finally:
        lab.down(["tr-bare"])
