"""A bridge takes over the very interface that the installer's link runs over, on a real host."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from installer import answers, lab
from installer.cli import connecting
from installer.errors import HostUnreachable
from installer.lab import LabHost, keys, network
from installer.operation import Operation
from installer.outcome import RoleResult
from installer.report.base import Composite, Quiet
from installer.roles import all_roles
from tests.lab import on_platform

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("handover"),
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="making lab hosts needs root"),
    pytest.mark.timeout(900),
]

#: A network that is reached through the interface.
BEYOND = "203.0.113.0/24"
#: Drops all that reaches the bridge's own interface: what a wrong VLAN or a port lock of a switch looks like.
DEAF = "table netdev deaf { chain in { type filter hook ingress device br-ex priority 0; policy drop;\n}\n}\n"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabHost]:
    """A host whose second interface has an address; what it downloads outlives its resets."""
    archives = tmp_path_factory.mktemp("archives")
    lab.down([one.name for one in lab.hosts() if one.name == "t-handover"])
    yield lab.up(["t-handover"], external=True, binds=[f"{archives}:/var/cache/apt/archives"])[0]
    lab.down(["t-handover"])


def fresh(host: LabHost, service: str = "") -> None:
    """Reset the host, and let its name mean the address that pystack comes by.

    Args:
        host: the host.
        service: what is to look after its second interface; empty: what the platform has for that.
    """
    services = SERVICES[on_platform.package_manager(host)]
    if service not in ("", *services):
        pytest.skip(f"{service} is not what looks after interfaces of {host.platform}, but {' or '.join(services)}")
    host.reset()
    host.run(["sed", "-i", f"s/^{host.address} /{host.external_address} /", "/etc/hosts"], check=True)
    services[service or next(iter(services))](host)
    until_reached(host)


def by_networkd(host: LabHost) -> None:
    """Leave the interface to systemd-networkd, as the lab makes a host of Debian."""


def by_ifupdown(host: LabHost) -> None:
    on_platform.add_packages(host, "ifupdown")
    host.run("rm /etc/systemd/network/20-lab-external.network && networkctl reload", check=True)
    stanza = f"auto ext0\niface ext0 inet static\n  address {host.external_address}/24\n"
    host.run("cat >> /etc/network/interfaces", stdin=stanza, check=True)
    host.run("ip address flush dev ext0 && systemctl enable --now networking", check=True)


def by_networkmanager(host: LabHost) -> None:
    """Give the interface to NetworkManager, where it has it not from the beginning, and a route through it."""
    outside = network.current(network.outer())
    assert outside is not None
    name = host.run("nmcli --get-values=GENERAL.CONNECTION device show ext0").stdout.strip()
    if name in ("", "--"):
        # A name of its own: NetworkManager calls what it found configured as the interface.
        name = "outside"
        on_platform.add_packages(
            host, {"apt": "network-manager", "dnf": "NetworkManager"}[on_platform.package_manager(host)]
        )
        host.run("rm /etc/systemd/network/20-lab-external.network && networkctl reload", check=True)
        host.run("printf '[keyfile]\\nunmanaged-devices=interface-name:host0\\n' >/etc/NetworkManager/conf.d/lab.conf")
        add = f"nmcli connection add type ethernet ifname ext0 con-name {name} ip4 {host.external_address}/24"
        host.run(f"ip address flush dev ext0; systemctl enable --now NetworkManager && {add}", check=True)
    host.run(["nmcli", "connection", "modify", name, "+ipv4.routes", f"{BEYOND} {outside[1]}"], check=True)
    host.run(["nmcli", "connection", "up", name], check=True)


#: What may look after an interface, and how it comes to; what a freshly installed host has first.
SERVICES: dict[str, dict[str, Callable[[LabHost], None]]] = {
    "apt": {"systemd-networkd": by_networkd, "ifupdown": by_ifupdown, "NetworkManager": by_networkmanager},
    "dnf": {"NetworkManager": by_networkmanager},
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def hand_over(host: LabHost, home: Path) -> RoleResult:
    """Install Open vSwitch with ext0 in br-ex, over ext0 itself, and return how the role went."""
    address = host.external_address
    given = {
        **lab.answers([host]),
        "CONFIG_CONTROLLER_HOST": address,
        "CONFIG_COMPUTE_HOSTS": address,
        "CONFIG_NETWORK_HOSTS": address,
        "CONFIG_SSH_HOST_KEYS": f"{address}={keys.fingerprint(host.host_key)}",
        "CONFIG_SSH_KEY": str(host.private_key),
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
    }
    wanted = answers.load_text(answers.generate((), given), "answers.txt")
    connect = connecting.connector(wanted, Composite(Quiet()))
    with Operation(wanted, connect=connect, listen=lambda event: None, run="test", may_change=True) as operation:
        operation._roles = tuple(role for role in all_roles() if role.name in ("base", "openvswitch"))
        results = {result.role: result for result in operation.install().results}
    return results["openvswitch"]


def state(host: LabHost) -> tuple[list[str], list[str]]:
    """Return the interface's and the bridge's IPv4 addresses, asked over the host's other interface."""
    out = host.run("ip -brief -4 address", check=True).stdout
    held = {line.split()[0].partition("@")[0]: line.split()[2:] for line in out.splitlines()}
    return held.get("ext0", []), held.get("br-ex", [])


def address_of(host: LabHost) -> list[str]:
    return [f"{host.external_address}/24"]


def reached(host: LabHost) -> bool:
    """Tell whether this machine reaches sshd at the address that moves."""
    argv = host.ssh()
    argv[-1] = f"root@{host.external_address}"
    argv[1:1] = ["-o", f"HostKeyAlias={host.address}"]
    return subprocess.run([*argv, "true"], capture_output=True, timeout=30, check=False).returncode == 0


def until_reached(host: LabHost) -> None:
    """Wait until this machine reaches the address that moves, but not for ever: what comes next tells what is wrong."""
    deadline = time.monotonic() + 60
    while not reached(host) and time.monotonic() < deadline:
        time.sleep(0.5)


def assert_nothing_is_left_that_would_undo_it(host: LabHost) -> None:
    left = host.run("ls -d /etc/pystack/undo-* /etc/systemd/system/*undo* 2>/dev/null; systemctl list-timers --all")
    assert "undo" not in left.stdout


def test_the_link_survives_and_the_bridge_has_the_address_also_after_a_reboot(host: LabHost, home: Path) -> None:
    fresh(host)
    assert hand_over(host, home).outcome == "converged"
    assert state(host) == ([], address_of(host))
    assert reached(host)
    assert_nothing_is_left_that_would_undo_it(host)
    assert hand_over(host, home).changed in ((), [])
    host.reboot()
    until_reached(host)
    assert state(host) == ([], address_of(host))
    assert hand_over(host, home).changed in ((), [])


def test_a_handover_after_which_the_controller_is_not_heard_is_undone_and_told(host: LabHost, home: Path) -> None:
    fresh(host)
    deafened = Deafening(host)
    try:
        result = hand_over(host, home)
        assert result.outcome == "failed"
        said: dict[str, Any] = dict(result.failure or {})
        assert said["resource"] == "bridged-interface:ext0", said
        assert "the controller was not heard for 45 s, so ext0 was given back" in said["message"]
    finally:
        deafened.end()
    assert state(host)[0] == address_of(host)
    assert "ext0" not in host.run("ovs-vsctl list-ports br-ex", check=True).stdout
    assert reached(host)
    assert_nothing_is_left_that_would_undo_it(host)


def test_a_power_cut_in_the_middle_of_a_handover_gives_the_interface_back_at_boot(host: LabHost, home: Path) -> None:
    fresh(host)
    deafened = Deafening(host)
    try:
        running = threading.Thread(target=ignoring_the_loss, args=(host, home))
        running.start()
        deafened.done.wait(300)
        time.sleep(3)
        assert state(host)[1] == address_of(host)
        host.kill9()
    finally:
        deafened.end()
    host.start()
    running.join(timeout=120)
    until_reached(host)
    assert state(host)[0] == address_of(host)
    assert_nothing_is_left_that_would_undo_it(host)


def ignoring_the_loss(host: LabHost, home: Path) -> None:
    try:
        hand_over(host, home)
    except HostUnreachable:
        return


class Deafening:
    """Makes a host deaf on its bridge's own interface as soon as that is there: before it has an address.

    ``done`` is set when it has one.
    """

    def __init__(self, host: LabHost) -> None:
        on_platform.add_packages(host, "nftables")
        self.done = threading.Event()
        self._host = host
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        # The host itself looks, because a question from outside takes longer than a handover.
        there = "until [ -e /sys/class/net/br-ex ]; do sleep 0.01; done"
        moved = "until ip -4 address show br-ex | grep -q inet; do sleep 0.01; done"
        self._host.run(["timeout", "300", "sh", "-c", f"{there}; nft --file -; {moved}"], stdin=DEAF)
        self.done.set()

    def end(self) -> None:
        self._thread.join()


def test_an_interface_of_ifupdown_is_handed_over(host: LabHost, home: Path) -> None:
    fresh(host, "ifupdown")
    converges_and_survives_a_reboot(host, home)
    assert "iface br-ex inet static\n" in host.run("cat /etc/network/interfaces").stdout


def test_an_interface_of_networkmanager_is_handed_over_with_its_routes(host: LabHost, home: Path) -> None:
    fresh(host, "NetworkManager")
    converges_and_survives_a_reboot(host, home)
    assert "via" in host.run(f"ip route show {BEYOND} dev br-ex").stdout


def converges_and_survives_a_reboot(host: LabHost, home: Path) -> None:
    assert hand_over(host, home).outcome == "converged"
    assert state(host) == ([], address_of(host))
    assert_nothing_is_left_that_would_undo_it(host)
    host.reboot()
    until_reached(host)
    assert state(host) == ([], address_of(host))
    assert hand_over(host, home).changed in ((), [])
