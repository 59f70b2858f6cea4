"""Instances: started, given a floating address, logged in to; and what their failure looks like."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from installer.report.words import clean
from installer.verify.cleaning import sweep
from installer.verify.failing import CheckFailed
from installer.verify.guest import REFUSED, Doors, Guest, Key
from installer.verify.live import Live
from installer.verify.place import Place, find
from installer.verify.waiting import TimedOut

#: Seconds until an instance is active, and until one of pystack's image, or of another, lets its owner in.
ACTIVE_SECONDS, OWN_BOOT_SECONDS, BOOT_SECONDS = 300.0, 300.0, 900.0
#: Lines of a console's end that a failure shows.
CONSOLE_LINES = 15
#: What Nova says when Neutron could not bind an instance's port (nova.exception.PortBindingFailed).
_UNBOUND = "Binding failed for port"
#: The last line of a traceback: an exception and what it says.
_EXCEPTION = re.compile(r"^[\w.]*(?:Error|Exception|NotFound|Failed|Invalid\w*|\w+Timeout)\w*: .+", re.MULTILINE)


@dataclass(frozen=True)
class Instance:
    """An instance that lets its owner in.

    Args:
        server: as the compute service lists it.
        guest: it from inside.
        host: the host that it runs on, as the compute service calls it.
        active_after: seconds until it was active.
        in_after: seconds until its owner was logged in, from the beginning.
    """

    server: Any
    guest: Guest
    host: str
    active_after: float
    in_after: float

    @property
    def words(self) -> str:
        """How it came up, in words."""
        return (
            f"active on {self.host} after {self.active_after:.0f} s, "
            f"ssh {self.guest.user}@{self.guest.address} after {self.in_after:.0f} s"
        )


@dataclass
class Workshop:
    """Where verify makes instances. What all of them share is made with the first.

    Args:
        live: the cloud.
        run: the beginning of all names of this run.
        keep: leave everything there.
    """

    live: Live
    run: str
    keep: bool = False
    key: Key = field(default_factory=Key.make)
    kept: list[Instance] = field(default_factory=list)
    #: How many of each kind were removed already.
    removed: Counter[str] = field(default_factory=Counter)

    @cached_property
    def doors(self) -> Doors:
        """The ways to the instances."""
        return Doors(self.live)

    @cached_property
    def place(self) -> Place:
        """What the instances have around them; raises CheckFailed."""
        return find(self.live, self.run)

    @cached_property
    def flavor(self) -> Any:
        """A flavor of its own that fits the image, since the cloud may have none."""
        place = self.place
        return self.live.admin.compute.create_flavor(
            name=f"{self.run}flavor", ram=place.memory, vcpus=1, disk=place.disk_gib
        )

    @cached_property
    def key_name(self) -> str:
        """The key pair."""
        name = f"{self.run}key"
        self.place.cloud.compute.create_keypair(name=name, public_key=self.key.public)
        return name

    @contextmanager
    def running(self, name: str, **source: Any) -> Iterator[Instance]:
        """Start an instance, yield it when its owner is logged in, and remove it afterwards.

        Args:
            name: tells it from the others of this run.
            source: what it boots from, as the SDK takes it.

        Raises:
            CheckFailed: it does not come up or lets nobody in.
        """
        try:
            instance = self._started(f"{self.run}{name}", source)
            if self.keep:
                self.kept.append(instance)
            try:
                yield instance
            finally:
                instance.guest.close()
        finally:
            if not self.keep:
                self.removed += sweep(self.live, lambda other: other.startswith(f"{self.run}{name}")).removed

    def _started(self, name: str, source: dict[str, Any]) -> Instance:
        begun = time.monotonic()
        compute = self.place.cloud.compute
        self.live.tell(f"starting instance {name}")
        server = compute.create_server(
            name=name,
            flavor_id=self.flavor.id,
            networks=[{"uuid": self.place.network}],
            key_name=self.key_name,
            **source,
        )
        self._wait_active(server)
        active_after = time.monotonic() - begun
        host = str(self.live.admin.compute.get_server(server.id).compute_host)
        address = self._floating_address(name, server)
        guest = self._wait_guest(server, address, host)
        return Instance(server, guest, host, active_after, time.monotonic() - begun)

    def _wait_active(self, server: Any) -> None:
        def look() -> tuple[bool | None, str]:
            # The administrator sees more of what went wrong.
            now = self.live.admin.compute.get_server(server.id)
            if now.status == "ERROR":
                raise not_started(server.name, now.fault or {}, str(now.compute_host or ""))
            return (True if now.status == "ACTIVE" else None), f"{now.status}, {now.task_state or 'nothing to do'}"

        try:
            self.live.wait("instance to start", ACTIVE_SECONDS, look)
        except TimedOut as problem:
            problem.why = "no instance can be used"
            problem.remedy = (
                "`journalctl -u openstack-nova-compute -u libvirtd -u virtqemud -n 100` on the compute hosts"
            )
            raise

    def _floating_address(self, name: str, server: Any) -> str:
        network = self.place.cloud.network
        port = next(iter(network.ports(device_id=server.id)), None)
        if port is None:
            raise CheckFailed(
                f"instance {name} has no port", "it has no network", "`journalctl -u openstack-neutron-api`"
            )
        made = network.create_ip(floating_network_id=self.place.outside, port_id=port.id, description=name)
        return str(made.floating_ip_address)

    def _wait_guest(self, server: Any, address: str, host: str) -> Guest:
        patience = OWN_BOOT_SECONDS if self.place.is_own else BOOT_SECONDS

        def look() -> tuple[Guest | None, str]:
            guest, why = self.doors.knock(address, self.place.user, self.key)
            return guest, "" if guest else f"{why}; {_last(self.console(server))}"

        try:
            return self.live.wait(f"instance to boot and to let {self.place.user}@{address} in", patience, look)
        except TimedOut as problem:
            console = self.console(server)
            raise not_let_in(problem.message, console, host, bool(self._leads_out())) from None

    def _leads_out(self) -> Sequence[Any]:
        interfaces: Sequence[Any] = self.live.answers["CONFIG_NEUTRON_OVN_BRIDGE_IFACES"] or ()
        return interfaces

    def console(self, server: Any) -> list[str]:
        """Return the end of an instance's console, printable."""
        try:
            told = self.live.admin.compute.get_server_console_output(server.id, length=60)
        except Exception as problem:  # whatever the matter is: the console only illustrates another failure
            return [f"the console cannot be read: {clean(problem)}"]
        return [clean(line) for line in str(told.get("output") or "").splitlines() if line.strip()][-CONSOLE_LINES:]


def _last(console: Sequence[str]) -> str:
    return f"console: {console[-1]}" if console else "nothing on the console yet"


def not_started(name: str, fault: dict[str, Any], host: str) -> CheckFailed:
    """Return what an instance in state ERROR means.

    Args:
        name: of the instance.
        fault: as the compute service tells an administrator: ``message``, ``details``.
        host: the compute host, if one was chosen.
    """
    message = str(fault.get("message") or "it gives no reason")
    reasons = _EXCEPTION.findall(str(fault.get("details") or ""))
    # What came over the message queue has the other side's traceback at its end.
    reason = clean(reasons[-1].partition(" ['Traceback")[0])[:400] if reasons else ""
    more = f": {reason}" if reason and message not in reason else f" ({reason})" if reason else ""
    if _UNBOUND in f"{message} {reason}":
        where = (
            "Neutron knows no agent that is alive on the host: `openstack network agent list` tells which it knows; "
            "Nova has the host by the same name; there: `journalctl -u openstack-neutron-ovn-agent -u ovn-controller`"
        )
    elif host and host != "None":
        where = f"on {host}: `journalctl -u openstack-nova-compute -n 100`"
    else:
        where = (
            "no host took it; on the controller: `journalctl -u openstack-nova-scheduler -u openstack-nova-conductor`"
        )
    return CheckFailed(f"instance {name} is in ERROR: {message}{more}", "no instance can be started", where)


def not_let_in(seen: str, console: Sequence[str], host: str, leads_out: bool) -> CheckFailed:
    """Return what it means that nobody gets into an instance that runs.

    Args:
        seen: what was waited for and seen last.
        console: the end of its console.
        host: the compute host.
        leads_out: whether the answer file connects a bridge of the external network to an interface.
    """
    why = "users start instances and do not get into them"
    if REFUSED in seen:
        remedy = (
            "the instance did not get its key: `journalctl -u openstack-neutron-ovn-agent -n 50` on "
            f"{host}, `journalctl -u openstack-nova-metadata -n 50` on the controller"
        )
        return CheckFailed(seen, why, remedy, console)
    if not console:
        remedy = f"it has not begun to boot: `virsh list` and `journalctl -u openstack-nova-compute -n 50` on {host}"
        return CheckFailed(seen, why, remedy, console)
    if not leads_out:
        remedy = (
            "CONFIG_NEUTRON_OVN_BRIDGE_IFACES connects the external network's bridge to no interface, so floating "
            "addresses are reached from nowhere: name one, such as br-ex:eth1, and run `pystack install`"
        )
        return CheckFailed(seen, why, remedy, console, outcome="warn")
    remedy = (
        "if the console says that it is up, the way to it is missing: this machine needs a route to the floating "
        f"addresses; `journalctl -u ovn-controller -n 50` on {host} and the network host; if not, it did not boot"
    )
    return CheckFailed(seen, why, remedy, console)
