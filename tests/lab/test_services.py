"""What OpenStack's services have in common, and images: seen from outside on an installed cloud."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
import shlex
import socket
import ssl
import time
from collections.abc import Iterator

import openstack
import pytest
import requests
from keystoneauth1.exceptions import ConnectionError
from openstack.connection import Connection

from installer.outcome import Event
from installer.ports import PORTS
from roles import service
from tests.lab import config_validator
from tests.lab.command_line import Result
from tests.lab.conftest import SUDO_PASSWORD, CloudOnHosts, on_two_hosts
from tests.lab.sdk import QUIET

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("services"),
    pytest.mark.long,
    pytest.mark.timeout(1500),
    QUIET,
]

MIB = 1 << 20
#: Longer than uwsgi waits by itself (4 s).
PAUSE = 7.0
BINARY = {"Content-Type": "application/octet-stream"}
GLANCE = "openstack-glance-api.service"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudOnHosts]:
    """What an answer file asks for by itself, as far as a lab host can have it."""
    # Nothing leads out of these hosts to an instance; test_verify.py looks at some.
    with on_two_hosts(tmp_path_factory.mktemp("home"), {"CONFIG_VERIFY_INSTANCES": "n"}) as made:
        yield made


@pytest.fixture
def admin(cloud: CloudOnHosts) -> Iterator[Connection]:
    """The cloud's administrator, logged in with the files that pystack wrote for him."""
    folder = cloud.operator.home / ".config/pystack" / cloud.controller.address
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(folder / "clouds.yaml"))
        with openstack.connect(cloud="pystack") as connection:
            yield connection


class Pausing(io.RawIOBase):
    """A file that takes its time in the middle, like one that is read from a busy disk or network."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)
        self._pause_at = len(content) // 2

    def read(self, size: int = -1) -> bytes:
        if self._content.tell() >= self._pause_at:
            time.sleep(PAUSE)
            self._pause_at = 1 << 62
        return self._content.read(min(size, 65536) if size >= 0 else 65536)


def pystack(cloud: CloudOnHosts, verb: str) -> Result:
    words = (verb, f"--answer-file={cloud.answer_file}", "--json")
    return cloud.operator.on_terminal(*words, answers={"assword": SUDO_PASSWORD})


def changed(result: Result) -> set[str]:
    def is_change(event: Event) -> bool:
        return event["event"] == "resource" and event["what"] == "changed"

    return {event["resource"] for event in result.events if is_change(event)}


@pytest.mark.shows("images")
def test_an_image_that_comes_with_pauses_is_kept_as_it_is_and_goes_away_when_deleted(admin: Connection) -> None:
    content = bytes(range(256)) * (32 * MIB // 256)
    made = admin.image.create_image(
        name="t-pausing", disk_format="raw", container_format="bare", data=Pausing(content), timeout=120
    )
    image = admin.image.get_image(made)
    assert (image.status, image.size) == ("active", len(content))
    assert image.hash_value == hashlib.sha512(content).hexdigest()
    answer = admin.image.download_image(image, stream=True)
    pieces = answer.iter_content(65536)
    received = [next(pieces)]
    time.sleep(PAUSE)
    received += pieces
    assert b"".join(received) == content
    admin.image.delete_image(image, ignore_missing=False)
    assert admin.image.find_image("t-pausing") is None


@pytest.mark.shows("images")
@pytest.mark.parametrize("piece", [MIB, 8 * MIB], ids=["as Cinder sends it", "longer"])
def test_an_image_may_come_in_large_pieces(admin: Connection, piece: int) -> None:
    made = admin.image.post("/images", json={"name": "t-pieces", "disk_format": "raw", "container_format": "bare"})
    address = f"/images/{made.json()['id']}"
    sent = admin.image.put(f"{address}/file", data=iter([bytes(piece)] * 4), headers=BINARY, timeout=120)
    assert sent.status_code == 204, sent.text
    assert admin.image.get(address).json()["size"] == 4 * piece
    admin.image.delete(address)


@pytest.mark.shows("images")
def test_an_upload_that_is_refused_is_told_at_once(cloud: CloudOnHosts, admin: Connection) -> None:
    begun = time.monotonic()
    endless = itertools.repeat(bytes(65536), 1 << 16)
    nobodys = "/images/11111111-2222-3333-4444-555555555555/file"
    try:
        refused = admin.image.put(nobodys, data=endless, headers=BINARY, timeout=60)
    except ConnectionError:
        # Before 3.0 HAProxy closes the connection on whoever still sends: https://github.com/haproxy/haproxy/issues/2404
        if haproxy_version(cloud) >= (3, 0):
            raise
    else:
        assert refused.status_code == 404
    assert time.monotonic() - begun < 30
    answer = admin.image.put(nobodys, data=b"x", headers=BINARY, timeout=60)
    assert answer.status_code == 404


def haproxy_version(cloud: CloudOnHosts) -> tuple[int, ...]:
    told = cloud.controller.run("haproxy -v", check=True).stdout
    found = re.search(r"version (\d+)\.(\d+)", told)
    assert found, told
    return tuple(map(int, found.groups()))


@pytest.mark.shows("images")
def test_an_image_can_be_imported(admin: Connection) -> None:
    image = admin.image.create_image(
        name="t-imported", disk_format="raw", container_format="bare", data=b"x" * MIB, use_import=True
    )
    deadline = time.monotonic() + 60
    while (image := admin.image.get_image(image)).status != "active":
        assert time.monotonic() < deadline, image.status
        time.sleep(0.5)
    admin.image.delete_image(image, ignore_missing=False)


@pytest.mark.shows("images")
def test_nothing_of_an_image_without_a_login(cloud: CloudOnHosts) -> None:
    authority = cloud.operator.home / ".config/pystack" / cloud.controller.address / "ca.crt"
    answer = requests.get(f"https://{cloud.controller.address}:9292/v2/images", verify=str(authority), timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'Keystone uri="https://{cloud.controller.address}:5000/v3"'


def test_placement_counts_for_who_may_ask(admin: Connection) -> None:
    classes = admin.placement.get("/resource_classes", microversion="1.39").json()["resource_classes"]
    assert {"VCPU", "MEMORY_MB", "DISK_GB"} <= {one["name"] for one in classes}


def test_requests_that_never_end_keep_nobody_from_logging_in(cloud: CloudOnHosts, admin: Connection) -> None:
    address = cloud.controller.address
    context = ssl.create_default_context(cafile=str(cloud.operator.home / ".config/pystack" / address / "ca.crt"))
    head = f"POST /v3/auth/tokens HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 1000"
    lines = [
        context.wrap_socket(socket.create_connection((address, 5000), timeout=10), server_hostname=address)
        for _ in range(40)
    ]
    for line in lines:
        line.sendall(head.encode() + b'\r\n\r\n{"auth"')
    begun = time.monotonic()
    admin.session.invalidate()
    admin.authorize()
    assert time.monotonic() - begun < 10
    for line in lines:
        line.close()


@pytest.mark.parametrize("path", config_validator.FILES)
def test_no_configuration_file_has_an_unknown_or_deprecated_key(cloud: CloudOnHosts, path: str) -> None:
    for host in (cloud.controller, cloud.backend):
        if host.run(["test", "-e", path]).returncode == 0:
            assert config_validator.problems(host, path) == ""


def test_the_validator_finds_what_it_is_there_for(cloud: CloudOnHosts) -> None:
    path = "/etc/placement/placement.conf"
    kept = cloud.controller.run(["cat", path], check=True).stdout
    wrong = "[api]\nno_such_key = 1\n[keystone_authtoken]\nno_such_key = 1\n[DEFAULT]\nuse_json = true\n"
    cloud.controller.run(["tee", "-a", path], stdin=wrong, check=True)
    try:
        found = config_validator.problems(cloud.controller, path)
    finally:
        cloud.controller.run(["tee", path], stdin=kept, check=True)
    assert "api/no_such_key" in found
    assert '"no_such_key" from group "keystone_authtoken"' in found


def test_services_may_do_as_root_what_their_filters_name_and_nothing_else(cloud: CloudOnHosts) -> None:
    files = cloud.controller.run("ls /etc/sudoers.d/openstack-*").stdout.split()
    if not files:
        pytest.skip("no service that is installed does anything as root")
    assert cloud.controller.run(["visudo", "--check"]).returncode == 0
    for name in (path.rpartition("-")[2] for path in files):
        rootwrap = f"{name}-rootwrap /etc/{name}/rootwrap.conf"
        allowed, others = (
            cloud.controller.run(f"runuser -u {name} -- sudo --non-interactive {command}").returncode
            for command in (f"{rootwrap} no-such-command", "id")
        )
        # 99: rootwrap itself has looked into its filters and refuses.
        assert (allowed, others) == (99, 1), name


#: A request that each API refuses without a login.
REFUSING = {
    "glance": "/v2/images",
    "placement": "/resource_classes",
    "nova": "/v2.1/servers",
    "neutron": "/v2.0/networks",
    "cinder": "/v3/volumes",
}


#: What changes when a service restarts: its units.
RESTARTED = "unit:openstack-"
#: What may be seen while they do: one that does not answer for a moment, or that is heard of anew.
WAITED_FOR = ("answering:", "compute-service:")


@pytest.mark.shows("own-settings")
def test_the_operators_own_settings_win_and_only_what_reads_them_restarts_and_pystack_leaves_them_alone(
    cloud: CloudOnHosts,
) -> None:
    def folder_is_there(name: str) -> bool:
        return cloud.controller.run(["test", "-d", service.additions(name)]).returncode == 0

    names = list(filter(folder_is_there, REFUSING))
    assert {"glance", "placement"} <= set(names)
    paths = [f"{service.additions(name)}/50-own.conf" for name in names]
    for path in paths:
        # A key that pystack's own files have too, and whose value a client can see.
        own = "[keystone_authtoken]\nwww_authenticate_uri = https://own.example.org/v3\n"
        cloud.controller.run(["tee", path], stdin=own, check=True)
    before = cloud.controller.run(["stat", "-c", "%Y %Z %U %a", *paths], check=True).stdout
    assert pystack(cloud, "plan").code == 10
    done = pystack(cloud, "install")
    assert done.code == 0, done.out[-3000:]
    affected = changed(done)
    assert f"unit:{GLANCE}" in affected
    for item in affected:
        assert item.startswith((*(f"{RESTARTED}{name}" for name in names), *WAITED_FOR)), item
    for name in names:
        assert "own.example.org" in refusal(cloud, name), name
    assert cloud.controller.run(["stat", "-c", "%Y %Z %U %a", *paths], check=True).stdout == before
    assert pystack(cloud, "plan").code == 0
    cloud.controller.run(["rm", *paths], check=True)
    assert f"unit:{GLANCE}" in changed(pystack(cloud, "install"))
    for name in names:
        assert "own.example.org" not in refusal(cloud, name), name


def refusal(cloud: CloudOnHosts, name: str) -> str:
    """Return where an API tells a client without a login to get one."""
    address = f"https://{cloud.controller.address}:{PORTS[name]}{REFUSING[name]}"
    authority = cloud.operator.home / ".config/pystack" / cloud.controller.address / "ca.crt"
    return requests.get(address, verify=str(authority), timeout=60).headers["WWW-Authenticate"]


#: Prints what oslo.config makes of a key that both files have, when a daemon is started with these arguments.
ASK = (
    "import sys; from oslo_config import cfg; conf = cfg.ConfigOpts(); conf.register_opt(cfg.StrOpt('who'));"
    "conf(sys.argv[1:], project='t-own'); print(conf.who)"
)


@pytest.mark.shows("own-settings")
@pytest.mark.parametrize(
    ("words", "winner"),
    [
        (service.arguments("t-own", "/etc/t-own/daemon.conf"), "operator"),
        # The trap that these arguments are there for.
        (("--config-file", "/etc/t-own/daemon.conf"), "pystack"),
    ],
    ids=["with the arguments of pystack's units", "without the folder"],
)
def test_a_daemon_takes_the_operators_value(cloud: CloudOnHosts, words: tuple[str, ...], winner: str) -> None:
    folder = service.additions("t-own")
    files = {"/etc/t-own/daemon.conf": "pystack", f"{folder}/own.conf": "operator"}
    cloud.controller.run(["mkdir", "-p", folder], check=True)
    for path, who in files.items():
        cloud.controller.run(["tee", path], stdin=f"[DEFAULT]\nwho = {who}\n", check=True)
    command = shlex.join(["python", "-c", ASK, *words])
    try:
        asked = cloud.controller.run(f"bash -c {shlex.quote(f'. /etc/pystack/env; PATH=$PATH {command}')}", check=True)
    finally:
        cloud.controller.run(["rm", "-r", "/etc/t-own"], check=True)
    assert asked.stdout.strip() == winner


@pytest.mark.shows("images")
def test_a_service_switched_off_stops_and_leaves_the_catalogue_and_comes_back_with_its_images(
    cloud: CloudOnHosts, admin: Connection
) -> None:
    image = admin.image.create_image(name="t-kept", disk_format="raw", container_format="bare", data=b"x" * MIB)
    off = [f"--answer-file={cloud.answer_file}", "--json", "--set", "CONFIG_GLANCE_INSTALL=n"]
    done = cloud.operator.on_terminal("install", *off, answers={"assword": SUDO_PASSWORD})
    assert done.code == 0, done.out[-3000:]
    endpoints = {f"keystone-endpoint:image {interface} in RegionOne" for interface in ("public", "internal", "admin")}
    assert changed(done) == {f"unit:{GLANCE}", "file:/etc/haproxy/haproxy.cfg", "unit:haproxy.service", *endpoints}
    again = cloud.operator.on_terminal("install", *off, answers={"assword": SUDO_PASSWORD})
    assert changed(again) == set()
    services = {one["type"] for one in json.loads(catalogue(cloud, admin))}
    assert "identity" in services
    assert "image" not in services
    assert cloud.controller.run(["systemctl", "is-active", GLANCE]).stdout.strip() == "inactive"
    back = pystack(cloud, "install")
    assert back.code == 0, back.out[-3000:]
    assert "image" in catalogue(cloud, admin)
    assert admin.image.download_image(image, stream=False).content == b"x" * MIB
    admin.image.delete_image(image, ignore_missing=False)


def catalogue(cloud: CloudOnHosts, admin: Connection) -> str:
    """Return the catalogue of a new token, as JSON."""
    admin.session.invalidate()
    found = admin.session.get(f"https://{cloud.controller.address}:5000/v3/auth/catalog").json()["catalog"]
    return json.dumps([entry for entry in found if entry["endpoints"]])
