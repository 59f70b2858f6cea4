"""How a whole command ends, where that needs no host of the cloud."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from installer import cli, exit_codes, inventory, journal, tls, verify
from installer.answers import generate, load_text

#: Loaded here already: otherwise a command that has ended may still be loading it beside the next one.
LOADED = verify


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def answer_file(name, **overrides):
    """Write an answer file, and certificates for its cloud; return its answers."""
    given = {"CONFIG_SSL_CERT_DIR": f"{Path.cwd()}/{name}.certificates", "CONFIG_SSH_PORT": "1", **overrides}
    Path(name).write_text(generate(("127.0.0.2",), given))
    answers = load_text(Path(name).read_text(), name)
    tls.prepare(answers, inventory.hosts(answers), write=True)
    return answers


@pytest.mark.parametrize("verb", ["install", "plan", "preflight"])
def test_the_answer_file_is_never_rewritten(verb):
    answer_file("cloud.txt")
    before = Path("cloud.txt").read_bytes(), Path("cloud.txt").stat()
    assert cli.run([verb, "--answer-file", "cloud.txt"]) == exit_codes.UNREACHABLE
    after = Path("cloud.txt").stat()
    assert (Path("cloud.txt").read_bytes(), after.st_mtime_ns, after.st_ino, after.st_mode) == (
        before[0],
        before[1].st_mtime_ns,
        before[1].st_ino,
        before[1].st_mode,
    )


class _Unavailable(BaseHTTPRequestHandler):
    """Answers that the service cannot be used."""

    def do_GET(self):
        self.send_response(503)
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the name is given

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(tmp_path):
    """Serve where the cloud's identity service would be, with the certificate of the answer file of a name."""
    servers = []

    def serve(answers):
        chain, key = tls.prepare(answers, inventory.hosts(answers), write=True).certificate("127.0.0.2")
        (tmp_path / "pair.pem").write_text(chain + key.reveal())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / "pair.pem")
        try:
            server = ThreadingHTTPServer(("127.0.0.2", 5000), _Unavailable)
        except OSError as problem:
            pytest.skip(f"port 5000 of this machine is in use: {problem}")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    yield serve
    for one in servers:
        one.shutdown()
        one.server_close()


@pytest.mark.parametrize(("whose", "says"), [("cloud.txt", "503"), ("other.txt", "CERTIFICATE_VERIFY_FAILED")])
def test_a_cloud_that_does_not_work_is_not_verified(server, whose, says, capsys):
    files = {name: answer_file(name) for name in ("cloud.txt", "other.txt")}
    server(files[whose])
    assert cli.run(["verify", "--answer-file", "cloud.txt"]) == exit_codes.NOT_VERIFIED
    assert "admin logs in" in capsys.readouterr().err
    [run] = journal.runs()
    assert says in run.failure()


def test_a_machine_without_the_clouds_authority_says_so_and_asks_nothing(capsys):
    answer_file("cloud.txt")
    Path("cloud.txt.certificates", "ca.crt").unlink()
    assert cli.run(["verify", "--answer-file", "cloud.txt"]) == exit_codes.USAGE
    assert "cloud.txt.certificates holds no authority" in capsys.readouterr().err
