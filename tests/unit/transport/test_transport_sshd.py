"""Connections to a real sshd on this machine."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from private_sshd import Sshd, make_key

from bench.delay_proxy import delayed
from installer.agent.wire import LinkLost
from installer.engine.session import AgentSession
from installer.errors import HostUnreachable
from installer.resources.secret import Secret
from installer.transport import Connection, Stream
from installer.transport import connect as connect_module
from installer.transport.connect import connect
from installer.transport.local import LocalConnection
from installer.transport.login import Login
from installer.transport.settings import Settings

StartSshd = Callable[..., Sshd]


def output(stream: Stream) -> bytes:
    found = b""
    while data := stream.read(1 << 16):
        found += data
    return found


def run(connection: Connection, *argv: str) -> bytes:
    stream = connection.start(argv)
    found = output(stream)
    assert stream.exit_code(5.0) == 0, stream.errors()
    stream.close()
    return found


@pytest.fixture
def connected(sshd: Sshd) -> Iterator[Connection]:
    connection = connect(sshd.host, sshd.login())
    yield connection
    connection.close()


def test_a_key_logs_in_and_commands_run_with_their_arguments_as_they_are(connected: Connection) -> None:
    awkward = ["it's", "a b", "$HOME", "!!", "back\\slash", "line\nbreak", "", "ü"]
    assert run(connected, "printf", "<%s>", *awkward).decode() == "".join(f"<{word}>" for word in awkward)


def test_input_can_follow_at_once_and_exit_codes_come_back(connected: Connection) -> None:
    stream = connected.start(["sh", "-c", "cat; echo oops >&2; exit 3"])
    stream.write(b"x" * 3_000_000)
    reader = threading.Thread(target=stream.close)
    found = stream.read(100)
    assert set(found) == {ord("x")}
    reader.start()
    reader.join()
    stream = connected.start(["sh", "-c", "echo oops >&2; exit 3"])
    assert output(stream) == b""
    assert (stream.exit_code(5.0), stream.errors()) == (3, "oops")


def test_an_agent_plans_over_ssh(connected: Connection) -> None:
    session = AgentSession(connected, lambda event: None, {})
    assert session.plan({}).result(20) == []
    session.close()


def test_four_megabytes_of_errors_do_not_block_and_the_last_four_kilobytes_are_kept(connected: Connection) -> None:
    stream = connected.start(["sh", "-c", "head -c 4000000 /dev/zero | tr '\\0' e >&2; echo END >&2; echo done"])
    assert output(stream) == b"done\n"
    assert stream.exit_code(10.0) == 0
    assert len(stream.errors()) > 4000
    assert stream.errors().endswith("eEND")


def test_an_unknown_host_key_is_refused_without_a_terminal(sshd: Sshd) -> None:
    with pytest.raises(HostUnreachable) as refused:
        connect(sshd.host, sshd.login(known_hosts=()))
    assert f"its host key is not known: ssh-ed25519 {sshd.fingerprint}" in refused.value.message
    assert sshd.name in refused.value.message


def test_a_confirmed_host_key_is_kept_and_not_asked_about_again(sshd: Sshd, home: Path) -> None:
    questions: list[str] = []

    def agree(question: str) -> bool:
        questions.append(question)
        return True

    login = sshd.login(known_hosts=(), confirm=agree)
    threads = [threading.Thread(target=lambda: connect(sshd.host, login).close()) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(questions) == 1
    assert sshd.fingerprint in questions[0]
    assert (home / ".ssh/known_hosts").read_text() == f"{sshd.name} {sshd.public_key}\n"
    connect(sshd.host, sshd.login(known_hosts=())).close()


def test_a_host_key_that_is_not_confirmed_is_refused(sshd: Sshd, home: Path) -> None:
    with pytest.raises(HostUnreachable, match="not known"):
        connect(sshd.host, sshd.login(known_hosts=(), confirm=lambda question: False))
    assert not (home / ".ssh/known_hosts").exists()


def test_a_changed_host_key_is_refused_with_both_fingerprints_file_and_line(sshd: Sshd, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    wrong = " ".join((tmp_path / "other.pub").read_text().split()[:2])
    known = tmp_path / "known"
    known.write_text(f"# comment\n{sshd.name} {wrong}\n")
    with pytest.raises(HostUnreachable) as refused:
        connect(sshd.host, sshd.login(known_hosts=(known,), confirm=lambda question: True))
    other = subprocess.check_output(["ssh-keygen", "-lf", tmp_path / "other.pub"], text=True).split()[1]
    for part in ("CHANGED", sshd.fingerprint, other, f"{known}, line 2"):
        assert part in refused.value.message
    assert f"ssh-keygen -f {known} -R '{sshd.name}'" in refused.value.remedy


def test_hashed_entries_made_by_openssh_are_found(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(f"{sshd.name} {sshd.public_key}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", known], check=True, capture_output=True)
    assert "127.0.0.1" not in known.read_text()
    connect(sshd.host, sshd.login(known_hosts=(known,))).close()


def test_the_known_type_of_host_key_is_negotiated(start_sshd: StartSshd, tmp_path: Path) -> None:
    rsa = make_key(tmp_path / "rsa", "rsa")
    sshd = start_sshd(f"HostKey {rsa}")
    known = tmp_path / "known"
    known.write_text(f"{sshd.name} {' '.join(rsa.with_suffix('.pub').read_text().split()[:2])}\n")
    connect(sshd.host, sshd.login(known_hosts=(known,))).close()


def test_a_fingerprint_in_the_answer_file_vouches_for_a_host(sshd: Sshd) -> None:
    connect(sshd.host, sshd.login(known_hosts=(), fingerprints={sshd.host: sshd.fingerprint})).close()


def test_a_fingerprint_of_another_key_is_refused_even_when_the_host_is_known(sshd: Sshd) -> None:
    wrong = "SHA256:" + "A" * 43
    with pytest.raises(HostUnreachable) as refused:
        connect(sshd.host, sshd.login(fingerprints={sshd.host: wrong}))
    assert sshd.fingerprint in refused.value.message
    assert wrong in refused.value.message


def test_a_refused_login_says_what_was_tried_and_what_the_host_takes(sshd: Sshd, tmp_path: Path) -> None:
    key = make_key(tmp_path / "stranger")
    with pytest.raises(HostUnreachable) as refused:
        connect(sshd.host, sshd.login(private_key=(key,)))
    assert f"tried: key {key} (SHA256:" in refused.value.message
    assert "the host takes: publickey, password" in refused.value.message
    assert "ssh-copy-id root@127.0.0.1" in refused.value.remedy


def test_a_key_that_is_named_must_be_usable(sshd: Sshd, tmp_path: Path) -> None:
    with pytest.raises(HostUnreachable, match="No such file"):
        connect(sshd.host, sshd.login(private_key=(tmp_path / "none",)))
    (tmp_path / "text").write_text("hello")
    with pytest.raises(HostUnreachable, match="not a private key"):
        connect(sshd.host, sshd.login(private_key=(tmp_path / "text",)))


def test_a_passphrase_is_asked_for_once(start_sshd: StartSshd, tmp_path: Path) -> None:
    sshd = start_sshd()
    key = make_key(tmp_path / "locked", passphrase="quite secret")
    (sshd.folder / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    prompts: list[str] = []

    def ask(prompt: str) -> Secret:
        prompts.append(prompt)
        return Secret("quite secret")

    login = sshd.login(private_key=(key,), ask=ask)
    connect(sshd.host, login).close()
    connect(sshd.host, login).close()
    assert prompts == [f"Passphrase of the key {key}: "]
    with pytest.raises(HostUnreachable, match="passphrase is wrong"):
        connect(sshd.host, sshd.login(private_key=(key,), ask=lambda prompt: Secret("guess")))


def test_keys_of_an_agent_log_in(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL)
    try:
        while not place.exists():
            time.sleep(0.02)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        subprocess.run(["ssh-add", "-q", sshd.folder / "id"], check=True)
        connect(sshd.host, sshd.login(private_key=())).close()
    finally:
        agent.terminate()
        agent.wait()


def test_what_a_login_shell_prints_does_not_disturb(start_sshd: StartSshd) -> None:
    noisy = "echo 'Welcome! Have a lot of fun'; echo '*** maintenance ***' >&2; eval \"$SSH_ORIGINAL_COMMAND\""
    sshd = start_sshd(f"ForceCommand {noisy}")
    connection = connect(sshd.host, sshd.login())
    session = AgentSession(connection, lambda event: None, {})
    assert session.plan({}).result(20) == []
    session.close()
    connection.close()


def test_an_account_that_runs_no_commands_is_told_in_the_hosts_own_words(start_sshd: StartSshd) -> None:
    words = 'Please login as the user "debian" rather than the user "root".'
    sshd = start_sshd(f"ForceCommand echo '{words}'; exit 142")
    connection = connect(sshd.host, sshd.login())
    with pytest.raises(HostUnreachable) as refused:
        AgentSession(connection, lambda event: None, {}).plan({}).result(20)
    assert words in refused.value.message
    connection.close()


def test_a_host_behind_two_jump_hosts_is_reached_and_the_jumps_are_shared(
    start_sshd: StartSshd, sshd: Sshd, tmp_path: Path
) -> None:
    first, second = start_sshd(), start_sshd()
    for jump in (first, second):
        (jump.folder / "authorized_keys").write_text((sshd.folder / "id.pub").read_text())
    config = tmp_path / "config"
    config.write_text(
        f"Host one\n HostName 127.0.0.1\n User root\n Port {first.port}\n HostKeyAlias one\n"
        f"Host two\n HostName 127.0.0.1\n User root\n Port {second.port}\n HostKeyAlias two\n"
        f"Host * !one !two\n ProxyJump one,two\n HostKeyAlias target\n HostName 127.0.0.1\n"
    )
    known = tmp_path / "known"
    known.write_text(
        f"[one]:{first.port} {first.public_key}\n[two]:{second.port} {second.public_key}\n"
        f"[target]:{sshd.port} {sshd.public_key}\n"
    )
    login = sshd.login(known_hosts=(known,), ssh_config=(config,))
    hosts = [connect(f"host{number}", login) for number in range(3)]
    for host in hosts:
        assert run(host, "id", "-u") == b"0\n"
    assert (len(first.sessions()), len(second.sessions())) == (1, 1)
    for host in hosts:
        host.close()
    assert connect_module._JUMPS._held == {}


def test_a_jump_host_that_cannot_reach_the_host_is_named(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        f"Host jump\n HostName {sshd.host}\n Port {sshd.port}\n User root\n"
        "Host far\n ProxyJump jump\n HostName ::1\n Port 1\n"
    )
    with pytest.raises(HostUnreachable) as refused:
        connect("far", sshd.login(ssh_config=(config,), port=None))
    assert "far: the jump host jump cannot reach it" in refused.value.message
    assert refused.value.host == "far"


@pytest.mark.parametrize("hangup", [signal.SIG_DFL, signal.SIG_IGN], ids=["in a terminal", "with nohup"])
def test_a_proxy_command_leads_to_the_host_and_ends_with_the_link(
    sshd: Sshd, tmp_path: Path, hangup: signal.Handlers
) -> None:
    before = signal.signal(signal.SIGHUP, hangup)
    # It waits for its other side, and would do so for ever.
    pump = tmp_path / "pump.py"
    pump.write_text(
        "import socket, sys, threading, os\n"
        "link = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "def up():\n"
        "    while data := os.read(0, 65536): link.sendall(data)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while data := link.recv(65536): os.write(1, data)\n"
    )
    config = tmp_path / "config"
    config.write_text(f"Host *\n ProxyCommand python3 {pump} %h %p\n")
    try:
        connection = connect(sshd.host, sshd.login(ssh_config=(config,)))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run(connection, "echo", "hello") == b"hello\n"
    connection.close()
    deadline = time.monotonic() + 5
    while (
        time.monotonic() < deadline and subprocess.run(["pgrep", "-f", str(pump)], capture_output=True).returncode == 0
    ):
        time.sleep(0.1)
    assert subprocess.run(["pgrep", "-f", str(pump)], capture_output=True).returncode == 1


def test_a_proxy_command_that_fails_is_quoted(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host *\n ProxyCommand echo the tunnel is closed >&2; false\n")
    with pytest.raises(HostUnreachable, match="the tunnel is closed"):
        connect(sshd.host, sshd.login(ssh_config=(config,)))


def test_an_ipv6_address_is_reached(start_sshd: StartSshd) -> None:
    try:
        sshd = start_sshd(host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    connection = connect("::1", sshd.login())
    assert run(connection, "echo", "hello") == b"hello\n"
    connection.close()
    connect("[::1]", sshd.login()).close()


def test_a_port_where_nothing_listens_is_refused() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(HostUnreachable, match=f"127.0.0.1 port {port} refused the connection"):
            connect("127.0.0.1", Login(port=port, ssh_config=()))


def test_a_port_that_does_not_speak_ssh_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        login = Login(port=server.getsockname()[1], ssh_config=(), timeout=1.0)
        with pytest.raises(HostUnreachable, match="no SSH session came about"):
            connect("127.0.0.1", login)


def test_a_name_that_is_not_known_is_refused() -> None:
    with pytest.raises(HostUnreachable, match="no such name"):
        connect("no-such-host.invalid", Login(ssh_config=()))


def impatient(start_sshd: StartSshd, tmp_path: Path) -> tuple[Sshd, Connection]:
    """Return a server, and a connection that takes it for lost after two seconds of silence."""
    sshd = start_sshd()
    config = tmp_path / "config"
    config.write_text("Host *\n ServerAliveInterval 1\n ServerAliveCountMax 2\n")
    return sshd, connect(sshd.host, sshd.login(ssh_config=(config,)))


def test_a_silence_that_was_announced_is_borne(start_sshd: StartSshd, tmp_path: Path) -> None:
    sshd, connection = impatient(start_sshd, tmp_path)
    stream = connection.start(["cat"])
    sessions = sshd.sessions()
    connection.expect_silence(30)
    for process in sessions:
        os.kill(process, signal.SIGSTOP)
    time.sleep(4)
    for process in sessions:
        os.kill(process, signal.SIGCONT)
    stream.write(b"x")
    assert stream.read(1) == b"x"
    connection.close()


def test_a_frozen_host_is_noticed(start_sshd: StartSshd, tmp_path: Path) -> None:
    sshd, connection = impatient(start_sshd, tmp_path)
    stream = connection.start(["cat"])
    sessions = sshd.sessions()
    began = time.monotonic()
    for process in sessions:
        os.kill(process, signal.SIGSTOP)
    try:
        assert stream.read(1) == b""
        assert time.monotonic() - began < 4.0
        assert stream.errors() == "no sign of life from the host for 2 s"
        with pytest.raises(LinkLost, match="no sign of life"):
            stream.write(b"x")
        with pytest.raises(HostUnreachable, match="no sign of life"):
            connection.start(["true"])
    finally:
        for process in sessions:
            os.kill(process, signal.SIGCONT)
        connection.close()


def test_a_connection_that_the_host_ends_is_told_as_lost(start_sshd: StartSshd) -> None:
    sshd = start_sshd()
    connection = connect(sshd.host, sshd.login())
    session = AgentSession(connection, lambda event: None, {})
    assert session.plan({}).result(20) == []
    for process in sshd.sessions():
        os.kill(process, signal.SIGKILL)
    session._reader.join(5.0)
    with pytest.raises(HostUnreachable, match="the link was lost"):
        session.plan({}).result(5)
    connection.close()


def test_this_machine_is_not_reached_over_ssh() -> None:
    for address in ("localhost", "127.0.0.1", "::1", socket.gethostname()):
        connection = connect(address, Login(ssh_config=()))
        assert isinstance(connection, LocalConnection), address
        assert run(connection, "printf", "%s", "it's !") == b"it's !"


def test_no_secret_shows_in_the_settings_or_the_login() -> None:
    login = Login(password=Secret("hunter2hunter2"))
    assert "hunter2" not in repr(login)
    assert "password" not in Settings.__dataclass_fields__
    assert "hunter2" not in repr(replace(login, user="x"))


def test_a_run_that_changes_nothing_takes_seven_round_trips(sshd: Sshd) -> None:
    """Counted as the slope of time over delay; the TCP handshake, which the proxy hides, is one more."""
    rtt = 0.1

    def seconds(port: int) -> list[float]:
        login = sshd.login(known_hosts=(), fingerprints={sshd.host: sshd.fingerprint}, port=port)
        marks = [time.perf_counter()]
        connection = connect(sshd.host, login)
        marks.append(time.perf_counter())
        session = AgentSession(connection, lambda event: None, {})
        marks.append(time.perf_counter())
        session.plan({}).result(20)
        marks.append(time.perf_counter())
        session.plan({}).result(20)
        marks.append(time.perf_counter())
        session.close()
        connection.close()
        return [after - before for before, after in itertools.pairwise(marks)]

    def best(delay: float) -> list[float]:
        with delayed((sshd.host, sshd.port), delay) as port:
            return [min(times) for times in zip(*(seconds(port) for _ in range(4)), strict=True)]

    connecting, starting, _first, call = ((slow - fast) / rtt for slow, fast in zip(best(rtt), best(0.0), strict=True))
    # The first call is one more; some of it hides behind the start of Python.
    assert connecting < 3.5
    assert starting < 2.5
    assert call < 1.3
