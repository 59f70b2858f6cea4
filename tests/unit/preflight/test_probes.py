from __future__ import annotations

import socket
from typing import Any

import pytest

from installer.agent import reach, remains, sockets, volume_groups
from installer.agent.facts import (
    may_load_modules,
    parse_addresses,
    parse_assignments,
    parse_interfaces,
    parse_memory_mib,
)
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
        "[off]\nenabled=0\nbaseurl=http://off.example/\n"
        "[crb]\nbaseurl=http://crb.example/$releasever/os\n"
    )
    assert reach.parse_repositories(
        [text, "broken"], {"stream": "10-stream", "basearch": "x86_64", "releasever": "10"}
    ) == ["https://m.example/?repo=baseos-10-stream&arch=x86_64", "http://crb.example/10/os"]


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


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            '{"report": [{"vg": [{"vg_name":"data", "vg_size":"20476.00", "vg_free":"0"}]}]}',
            {"groups": [{"name": "data", "size_mib": 20476, "free_mib": 0}], "problem": ""},
        ),
        ('{"report": [{"vg": []}]}', {"groups": [], "problem": ""}),
        ((127, "", "No such file"), {"groups": [], "problem": "LVM is not installed"}),
        ((5, "", "  /run/lock/lvm: open failed\n"), {"groups": [], "problem": "/run/lock/lvm: open failed"}),
    ],
    ids=["one", "none", "no LVM", "LVM fails"],
)
def test_volume_groups_are_what_lvm_tells(answer: Any, told: dict[str, Any]) -> None:
    assert volume_groups.volume_groups(FakeHost({"vgs": answer})) == told
