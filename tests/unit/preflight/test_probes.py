from __future__ import annotations

import base64
import http.server
import json
import os
import pwd
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from installer.agent import accounts, probes, reach, remains, sockets, volume_groups
from installer.agent.facts import (
    may_load_modules,
    parse_addresses,
    parse_assignments,
    parse_interfaces,
    parse_memory_mib,
)
from installer.resources import dnf_configuration, python_index
from tests.unit.resources.fake_host import FakeHost


def test_a_listening_socket_is_found_with_the_program_that_holds_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (found,) = [entry for entry in sockets.listeners() if entry["port"] == port]
    assert found["program"].startswith(("python", "pytest"))


def test_the_unit_of_a_process_is_the_innermost_service() -> None:
    assert sockets.unit_of("0::/system.slice/haproxy.service\n") == "haproxy.service"
    assert sockets.unit_of("0::/user.slice/user-0.slice/user@0.service/app.slice/x.service\n") == "x.service"
    assert sockets.unit_of("0::/user.slice/session-1.scope\n") == ""


def test_one_address_per_package_server_is_asked() -> None:
    text = (
        "'http://deb.example/debian/dists/trixie/InRelease' deb.example_InRelease 0 \n"
        "'http://deb.example/debian/dists/trixie-updates/InRelease' x 0 \n"
        "'http://security.example/dists/x/InRelease' y 0 \n"
    )
    assert reach.parse_apt_uris(text) == [
        "http://deb.example/debian/dists/trixie/InRelease",
        "http://security.example/dists/x/InRelease",
    ]


def test_enabled_repositories_give_their_metalink_mirrorlist_or_baseurl_with_variables_filled_in() -> None:
    text = (
        "[baseos]\nname=x\nmetalink=https://m.example/?repo=baseos-$stream&arch=$basearch\n"
        "[off]\nenabled=off\nbaseurl=http://off.example/\n"
        "[gone]\nbaseurl=http://gone.example/\n"
        "[crb]\nenabled=0\nbaseurl=http://crb.example/$releasever/os\n"
    )
    overrides = ["[crb]\nenabled=1\n[go*]\nenabled=0\n"]
    variables = {"stream": "10-stream", "basearch": "x86_64", "releasever": "10"}
    assert reach.parse_repositories([text, "broken"], overrides, variables) == [
        "https://m.example/?repo=baseos-10-stream&arch=x86_64",
        "http://crb.example/10/os",
    ]


def test_a_package_source_on_a_disk_of_the_host_is_one_and_is_missed_where_it_is_not(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    assert reach._ask(f"file://{tmp_path}/mirror", {}) == ""
    assert reach._ask(f"file:{tmp_path}/mirror/InRelease", {"http": "http://proxy.example"}) == ""
    assert reach._ask(f"file://{tmp_path}/away/x", {}) == f"{tmp_path}/away/x is not there"
    (only,) = reach.parse_repositories([f"[dvd]\nbaseurl=file://{tmp_path}/mirror\n"], [], {})
    assert only == f"file://{tmp_path}/mirror"


def test_services_of_the_distribution_are_remains_but_clients_are_not() -> None:
    installed = [
        "python3-keystoneclient",
        "keystone",
        "nova-api",
        "nova-common",
        "openstack-nova-compute",
        "mariadb-server",
        "nova",
    ]
    assert remains.foreign_packages(installed) == ["keystone", "nova-api", "nova-common", "openstack-nova-compute"]


def test_facts_are_read_from_what_linux_says() -> None:
    assert parse_assignments('ID="centos"\n# x=1\nVERSION_ID="10"\n') == {"ID": "centos", "VERSION_ID": "10"}
    assert parse_memory_mib("MemTotal:       24683844 kB\n") == 24105
    lines = "2: eth0    inet6 fd00::2/64 scope global \n2: eth0    inet 192.0.2.2/24 brd x scope global eth0\n"
    assert parse_addresses(lines) == ["192.0.2.2", "fd00::2"]
    assert parse_interfaces("3: br-ex@if7    inet 198.51.100.2/24 brd x scope global br-ex\n" + lines) == {
        "br-ex": ["198.51.100.2/24"],
        "eth0": ["fd00::2/64", "192.0.2.2/24"],
    }


def test_a_container_that_may_not_load_modules_is_told_from_a_host_that_may() -> None:
    assert may_load_modules("CapPrm:\t0\nCapEff:\t000001ffffffffff\n")
    assert not may_load_modules("CapEff:\t00000000fcecffff\n")
    assert not may_load_modules("")


REPORT = """
{"report": [
  {"vg": [{"vg_name":"site", "vg_uuid":"g1", "vg_size":"4290772992", "vg_free":"4185915392", "vg_tags":"",
           "vg_permissions":"writeable", "vg_exported":"", "vg_missing_pv_count":"0"}],
   "pv": [{"pv_name":"/dev/vdb", "pv_uuid":"p1", "pv_size":"4290772992", "pv_tags":""}],
   "lv": [{"lv_name":"home", "lv_uuid":"l1", "lv_size":"104857600", "lv_active":"active", "lv_tags":"mine",
           "lv_kernel_major":"254", "lv_kernel_minor":"3"}],
   "pvseg": [{"pv_uuid":"p1"}], "seg": [{"lv_uuid":"l1"}]},
  {"vg": [{"vg_name":"", "vg_uuid":""}], "pv": [{"pv_name":"/dev/vdc", "pv_uuid":"p2"}]}
], "log": []}
"""


def test_volume_groups_are_what_lvm_tells() -> None:
    (group,) = volume_groups.parse(REPORT, os.makedev(254, 3))
    assert group == {
        "name": "site",
        "uuid": "g1",
        "size": 4290772992,
        "free": 4185915392,
        "tags": "",
        "writable": True,
        "exported": False,
        "missing": 0,
        "root": True,
        "devices": {"p1": {"name": "/dev/vdb", "size": 4290772992, "tags": "", "file": ""}},
        "volumes": {"l1": {"name": "home", "size": 104857600, "tags": "mine", "active": True}},
    }
    assert not volume_groups.parse(REPORT, os.makedev(98, 0))[0]["root"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ('{"report": []}', ""),
        ((127, "", "No such file"), "LVM is not installed"),
        ((5, "", "  /run/lock/lvm: open failed\n"), "/run/lock/lvm: open failed"),
    ],
    ids=["none", "no LVM", "LVM fails"],
)
def test_without_volume_groups_it_is_told_why(answer: Any, problem: str) -> None:
    told = volume_groups.look([], "/no-such/folder", FakeHost({"lvm fullreport": answer}))
    assert (told["groups"], told["problem"]) == ([], problem)
    assert told["room_mib"] > 0


DISK = {"name": "sdb", "type": "disk", "size": 4294967296, "fstype": None, "mountpoint": None, "ro": False}


@pytest.mark.parametrize(
    ("device", "signatures", "found"),
    [
        ({}, [], []),
        ({}, ["gpt", "PMBR", "gpt"], ["it holds gpt, PMBR"]),
        ({"mountpoint": "/srv"}, ["xfs"], ["it is mounted at /srv", "it holds xfs"]),
        ({"ro": True}, [], ["it is read-only"]),
        ({"type": "rom"}, [], ["it is of type rom"]),
        (
            {"children": [{**DISK, "name": "sdb1", "type": "part", "fstype": "swap"}, {**DISK, "type": "crypt"}]},
            [],
            ["part sdb1 (swap) is on it", "crypt sdb is on it"],
        ),
    ],
)
def test_what_is_on_a_device_or_holds_it_is_told(
    device: dict[str, Any], signatures: list[str], found: list[str]
) -> None:
    assert volume_groups.on_device({**DISK, **device}, signatures) == found


def test_a_device_is_looked_at_without_changing_it() -> None:
    host = FakeHost({"lsblk": json.dumps({"blockdevices": [DISK]}), "wipefs --no-act": '{"signatures": []}'})
    assert volume_groups.look_at_device("/dev/sdb", host) == {"size_mib": 4096, "found": ""}
    none = FakeHost({"lsblk": (32, "", "lsblk: /dev/sdz: not a block device"), "wipefs": (1, "", "No such file")})
    assert volume_groups.look_at_device("/dev/sdz", none)["found"] == "there is no such device"


class _Index(http.server.BaseHTTPRequestHandler):
    """Lets in who logs in as me, and speaks no HTTP to who asks for /garbage."""

    def do_HEAD(self) -> None:
        if self.path == "/garbage":
            self.wfile.write(b"what?\r\n")
            return
        known = base64.b64encode(b"me:p@ss").decode()
        self.send_response(200 if self.headers["Authorization"] == f"Basic {known}" else 407)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_an_index_with_a_login_in_its_address_is_asked_with_it_and_told_without(index: str) -> None:
    found = reach.reach(f"http://me:p%40ss@{index}/simple", {}, FakeHost({"apt-get": "", "apt-config": "", "rpm": ""}))
    assert [entry for entry in found if entry["what"] == "index"] == [
        {"what": "index", "url": f"http://{index}/simple", "problem": ""}
    ]


@pytest.mark.parametrize("path", ["garbage", "simple"])
def test_an_index_that_does_not_let_in_is_told_so(index: str, path: str) -> None:
    found = reach.reach(f"http://{index}/{path}", {}, FakeHost({"apt-get": "", "apt-config": "", "rpm": ""}))
    assert found[-1]["problem"]


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return what writes the host's configuration of pip and its environment file."""

    read_pip, host_proxies = python_index.read_pip, python_index.host_proxies

    def write(pip: str, environment: str) -> None:
        (tmp_path / "pip.conf").write_text(pip)
        (tmp_path / "environment").write_text(environment)
        settings = read_pip([str(tmp_path / "pip.conf")])
        proxies = host_proxies(str(tmp_path / "environment"))
        monkeypatch.setattr(python_index, "HOST_CONFIGURATION", (str(tmp_path / "uv.toml"),))
        monkeypatch.setattr(python_index, "read_pip", lambda: settings)
        monkeypatch.setattr(python_index, "host_proxies", lambda: proxies)

    return write


def test_the_index_that_is_asked_is_the_one_that_will_be_used(
    configured: Callable[[str, str], None], tmp_path: Path
) -> None:
    configured("", "")
    assert reach.index_of("", "https://default.example") == "https://default.example"
    configured("[global]\nindex-url = https://mirror.example/simple\n", "")
    assert reach.index_of("", "https://default.example") == "https://mirror.example/simple"
    assert reach.index_of("https://given.example", "https://default.example") == "https://given.example"
    (tmp_path / "uv.toml").write_text('[[index]]\nname = "own"\nurl = "https://uv.example/simple"\ndefault = true\n')
    assert reach.index_of("", "https://default.example") == "https://uv.example/simple"
    (tmp_path / "uv.toml").write_text("offline = false\n")
    assert reach.index_of("", "https://default.example") == "https://default.example"


def test_the_index_is_asked_through_the_proxy_that_the_host_has_for_it(configured: Callable[[str, str], None]) -> None:
    configured("", "")
    assert reach.index_proxies({}) == {}
    configured("", "HTTPS_PROXY='http://p.example:3128'\nno_proxy=x\n")
    assert reach.index_proxies({}) == {"https": "http://p.example:3128", "no": "x"}
    configured("[global]\nproxy = http://q.example:1\n", "https_proxy=http://p.example:3128\n")
    assert reach.index_proxies({}) == {"http": "http://q.example:1", "https": "http://q.example:1"}
    assert reach.index_proxies({"https": "http://given.example:2"}) == {"https": "http://given.example:2"}


def test_a_proxy_for_all_schemes_counts_where_a_scheme_has_none_of_its_own(
    configured: Callable[[str, str], None],
) -> None:
    configured("", "all_proxy=socks5://s.example:1080\nhttps_proxy=http://p.example:3128\n")
    assert reach.index_proxies({}) == {"http": "socks5://s.example:1080", "https": "http://p.example:3128"}


def test_a_store_of_authorities_that_is_cut_off_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "ca.crt"
    store.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n")
    monkeypatch.setattr(reach, "_TRUST_STORES", (str(store),))
    assert reach._ask("https://x.example/simple", {}).startswith(f"{store} cannot be read as certificates")


def test_a_socks_proxy_is_knocked_at_as_this_agent_cannot_go_through_it(index: str) -> None:
    assert reach._ask("https://x.example/simple", {"https": f"socks5h://me:secret@{index}"}) == ""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    told = reach._ask("https://x.example/simple", {"https": f"socks5://me:secret@127.0.0.1:{port}"})
    assert told.startswith(f"the proxy socks5://127.0.0.1:{port} cannot be reached")
    assert "secret" not in told


APT = """Acquire::http "";
Acquire::http::Proxy "http://apt.example:3142/";
Acquire::http::Proxy::near.example "DIRECT";
Acquire::https::Proxy::Far.example "http://far.example:1";
"""


@pytest.mark.parametrize(
    ("url", "own", "proxy"),
    [
        ("http://deb.example/x", reach.parse_apt_proxies(APT), {"http": "http://apt.example:3142/"}),
        ("https://deb.example/x", reach.parse_apt_proxies(APT), {"https": "http://apt.example:3142/"}),
        ("https://far.example/x", reach.parse_apt_proxies(APT), {"https": "http://far.example:1"}),
        ("http://near.example/x", reach.parse_apt_proxies(APT), {}),
        ("http://deb.example/x", {}, {"http": "http://given.example:1"}),
        (
            "http://m.example/",
            reach.parse_dnf_proxy(["[main]\nproxy=http://d.example:1"]),
            {"http": "http://d.example:1"},
        ),
        ("http://m.example/", reach.parse_dnf_proxy(["[main]\nproxy=_none_"]), {}),
        ("http://m.example/", reach.parse_dnf_proxy(["[main]\ngpgcheck=1", "no"]), {"http": "http://given.example:1"}),
        (
            "http://m.example/",
            reach.parse_dnf_proxy(["[main]\nproxy=http://d.example:1\nproxy_username=me\nproxy_password=p@ss"]),
            {"http": "http://me:p%40ss@d.example:1"},
        ),
    ],
)
def test_a_package_source_is_asked_through_the_package_managers_own_proxy_else_the_given_one(
    url: str, own: dict[str, str], proxy: dict[str, str]
) -> None:
    assert reach.package_proxies(url, own, {"http": "http://given.example:1"}) == proxy


def test_dnfs_own_configuration_file_wins_over_parts_and_those_of_the_operator_over_the_distributions(
    tmp_path: Path,
) -> None:
    theirs, ours = tmp_path / "usr", tmp_path / "etc"
    for path in (theirs / "20-a.conf", theirs / "90-b.conf", ours / "20-a.conf", ours / "50-c.conf"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = dnf_configuration.files([str(theirs), str(ours)])
    assert found == [f"{ours}/20-a.conf", f"{ours}/50-c.conf", f"{theirs}/90-b.conf", "/etc/dnf/dnf.conf"]


def test_what_needs_no_proxy_is_asked_without_one(index: str) -> None:
    given = {"http": "http://127.0.0.1:1", "no": "127.0.0.1"}
    assert reach._ask(f"http://me:p%40ss@{index}/simple", given) == ""
    assert reach._ask(f"http://me:p%40ss@{index}/simple", {"http": "http://127.0.0.1:1"})


USER = accounts.KINDS["user"]


def test_what_alone_is_asked_for_is_answered_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_groups, "look", lambda devices, place, host: {"groups": []})
    asked = {"only": True, "volume_groups": {"devices": [], "place": "/"}}
    assert probes.probe(asked, FakeHost()).keys() == {"volume_groups", "time"}


def test_accounts_are_looked_up_by_name_and_number() -> None:
    found = accounts.look_up(["root", "nobody-of-this-name"], [0, 4_000_000], FakeHost())
    assert found["problem"] == ""
    assert found["user"] == {"root": {"number": 0, "source": "files"}, "nobody-of-this-name": None}
    assert found["holders"]["group"]["0"] == {"name": "root", "source": "files"}
    assert "4000000" not in found["holders"]["group"]


def test_one_whom_only_a_name_service_knows_has_the_source_that_knows_him(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = pwd.struct_passwd(("nova", "x", 5001, 5001, "Nova Smith", "/home/nova", "/bin/sh"))
    monkeypatch.setitem(accounts.KINDS, "user", ("passwd", lambda name: entry, lambda uid: entry, *USER[3:]))
    monkeypatch.setattr(accounts, "text_of", lambda path: "passwd: files [!UNAVAIL=return] sss nis\n")
    host = FakeHost(
        {
            "getent --service passwd:sss passwd nova": (2, "", ""),
            "getent --service passwd:nis passwd nova": "nova:x:...",
        }
    )
    told = accounts.look_up(["nova"], [5001], host)
    assert told["user"]["nova"] == {"number": 5001, "source": "nis"}
    assert told["holders"]["user"]["5001"] == {"name": "nova", "source": "nis"}
    assert told["sources"]["user"] == ["files", "sss", "nis"]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("passwd:\tfiles nis systemd # as before\n", ["files", "nis", "systemd"]),
        ("group: nis\npasswd: compat\n", ["compat"]),
        ("#passwd: nis\n", ["files"]),
        ("passwd:\n", ["files"]),
    ],
)
def test_sources_are_asked_in_the_order_of_nsswitch(text: str, order: list[str]) -> None:
    assert accounts.sources(text, "passwd") == order


def test_an_account_that_a_package_makes_at_this_moment_is_the_hosts_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    passwd = tmp_path / "passwd"
    passwd.write_text("root:x:0:0::/root:/bin/sh\n")

    def made_meanwhile(name: str) -> SimpleNamespace:
        passwd.write_text(f"root:x:0:0::/root:/bin/sh\n{name}:x:160:160::/:/bin/false\n")
        return SimpleNamespace(pw_name=name, pw_uid=160)

    monkeypatch.setitem(accounts.KINDS, "user", ("passwd", made_meanwhile, USER[2], *USER[3:5], str(passwd)))
    found = accounts.look_up(["haproxy"], [], FakeHost())
    assert found["user"]["haproxy"] == {"number": 160, "source": "files"}


def test_a_name_service_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "PATIENCE", 0.1)
    monkeypatch.setitem(
        accounts.KINDS, "group", ("group", lambda name: time.sleep(1), lambda gid: None, *accounts.KINDS["group"][3:])
    )
    assert accounts.look_up(["nova"], [], FakeHost()) == {"problem": "no answer within 0 s"}
