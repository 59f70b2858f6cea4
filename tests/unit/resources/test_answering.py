from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from installer.resources import answering
from installer.resources.answering import Answering
from installer.resources.base import CannotFix
from tests.unit.resources.fake_host import FakeHost


class Server(http.server.BaseHTTPRequestHandler):
    codes: list[int]

    def do_GET(self) -> None:
        codes = type(self).codes
        self.send_response(codes.pop(0) if len(codes) > 1 else codes[0])
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Server.codes = [200]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def closed() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


#: As it is, before it is made short for these tests.
PROBE = answering.PROBE


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "PAUSE", 0.01)
    monkeypatch.setattr(answering, "TELL", 0.02)
    monkeypatch.setattr(answering, "PROBE", 0.5)


@pytest.mark.parametrize(
    ("code", "seen"),
    [(200, "yes"), (300, "yes"), (302, "HTTP status 302"), (401, "HTTP status 401"), (503, "HTTP status 503")],
)
def test_what_a_status_means(url: str, code: int, seen: str) -> None:
    Server.codes = [code]
    assert Answering("x", url=url).probe() == seen


def test_a_redirection_can_be_the_answer_that_is_wanted(url: str) -> None:
    Server.codes = [302, 500]
    assert Answering("x", url=url, status=(302,)).probe() == "yes"


def test_a_proxy_in_the_environment_is_not_asked(url: str, closed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed}")
    assert Answering("x", url=url).probe() == "yes"


def test_what_is_seen_of_a_port_that_nobody_listens_at(closed: int) -> None:
    assert Answering("x", tcp=f"127.0.0.1:{closed}").probe() == "Connection refused"
    assert Answering("x", url=f"http://127.0.0.1:{closed}/").probe() == "Connection refused"


def test_a_service_that_answers_slowly_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "PROBE", PROBE)

    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.recv(4096)
            time.sleep(2.5)
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        assert Answering("x", url=f"http://127.0.0.1:{listener.getsockname()[1]}/").probe() == "yes"


def test_what_is_seen_of_a_service_that_keeps_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert Answering("x", tcp=f"127.0.0.1:{port}").probe() == "yes"
        assert "no answer within" in Answering("x", url=f"http://127.0.0.1:{port}/").probe()


def test_what_is_seen_of_a_service_that_speaks_no_tls(url: str) -> None:
    assert "SSL" in Answering("x", url=url.replace("http:", "https:")).probe().upper()


def test_a_missing_certificate_is_said_by_name(url: str) -> None:
    seen = Answering("x", url=url.replace("http:", "https:"), ca="/no/ca.pem").probe()
    assert seen == "there is no CA certificate /no/ca.pem"


def test_all_are_asked_in_one_query(url: str, closed: int) -> None:
    items = [Answering("a", url=url), Answering("b", tcp=f"127.0.0.1:{closed}")]
    assert Answering.query(items, FakeHost()) == {
        "answering:a": {"answers": "yes"},
        "answering:b": {"answers": "Connection refused"},
    }


def test_it_waits_for_two_good_answers_in_a_row(url: str) -> None:
    Server.codes = [503, 200, 503, 503, 503, 200, 200, 404]
    host = FakeHost()
    Answering("keystone", url=url, limit=5).fix(None, host)
    assert Server.codes == [404]
    assert host.told[0] == f"waiting for keystone at {url}: HTTP status 503"


def test_it_gives_up_with_the_last_thing_seen(closed: int) -> None:
    with pytest.raises(CannotFix, match="did not answer within 0 s; last seen: Connection refused"):
        Answering("x", tcp=f"127.0.0.1:{closed}", limit=0.05).fix(None, FakeHost())


def test_it_does_not_wait_for_a_unit_that_has_failed(closed: int) -> None:
    item = Answering("x", tcp=f"127.0.0.1:{closed}", limit=60, unit="x.service")
    with pytest.raises(CannotFix, match=r"because x\.service has failed"):
        item.fix(None, FakeHost({"systemctl is-failed": ""}))


def test_exactly_one_of_url_and_tcp_is_given() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Answering("x")
