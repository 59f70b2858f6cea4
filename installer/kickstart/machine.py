"""What a host is to be when its installer is done: what the answer file says of it, and what the operator adds."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from installer import inventory
from installer.answers import Answers
from installer.refusals import Refusal

#: A device as every installer can write it down; none of these means anything to a shell.
DEVICE = re.compile(r"/dev/[A-Za-z0-9_][A-Za-z0-9_./:+@=-]*")
#: A disk by the name that the kernel gave it, without a link to it.
KERNEL_NAME = re.compile(r"/dev/[A-Za-z0-9]+")
INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
#: A mirror's address; a login in it would stand in the file.
MIRROR = re.compile(r"(https?)://([A-Za-z0-9.-]+(?::[0-9]+)?)((?:/[A-Za-z0-9_][A-Za-z0-9._+-]*)*)/?")
SSH_PORT = 22
VOLUME_GROUP = "CONFIG_CINDER_VOLUME_NAME"
MIB = 1024 * 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Wish:
    """What the operator says of a host that the answer file does not; texts as they were typed.

    Args:
        system_disk: the disk to install on.
        volumes_disk: the disk for the volume group; empty for a part of the first.
        gateway: ``address/length``; empty leaves addresses to DHCP.
        nameservers: addresses, for a host without DHCP.
        interface: the network interface; empty leaves the choice to the installer.
        mirror: where packages come from; empty leaves that to the installer, too.
    """

    system_disk: str
    volumes_disk: str = ""
    gateway: str = ""
    nameservers: tuple[str, ...] = ()
    interface: str = ""
    mirror: str = ""


@dataclass(frozen=True)
class Mirror:
    """Where the distribution's packages come from during the installation, and afterwards.

    Args:
        scheme: http or https.
        server: name or address, with a port if need be.
        directory: the path, without a slash at its end.
    """

    scheme: str
    server: str
    directory: str

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.scheme}://{self.server}{self.directory}"


@dataclass(frozen=True)
class Network:
    """A fixed address.

    Args:
        address: the host's.
        length: bits of its network's prefix.
        gateway: in the same network.
        nameservers: one or more.
    """

    address: Address
    length: int
    gateway: Address
    nameservers: tuple[Address, ...]

    @property
    def version(self) -> int:
        """4 or 6."""
        return self.address.version

    @property
    def mask(self) -> str:
        """The network's mask, such as 255.255.255.0 or ffff:ffff:ffff:ffff::."""
        return str(ipaddress.ip_network(f"{self.address}/{self.length}", strict=False).netmask)


@dataclass(frozen=True)
class Machine:
    """A host to be installed.

    Args:
        host: as the answer file names it.
        hostname: its own name.
        user: the account that pystack logs in as.
        public_key: the two words of an OpenSSH public key: type and base64.
        system_disk: the disk that is erased for the system.
        volume_group: the group to make for volumes; empty on a host that keeps none.
        volumes_disk: the disk that is erased for that group; empty for a partition beside the system.
        volumes_mebibytes: size of that partition.
        network: None for DHCP.
        interface: empty for the installer's choice.
        time_servers: none means those of the distribution.
        selinux: enforcing or permissive, where the distribution has SELinux.
        wants_selinux: whether the answer file insists on SELinux.
        proxy: for packages; empty for none.
        mirror: None for the installer's choice.
    """

    host: str
    hostname: str
    user: str
    public_key: tuple[str, str]
    system_disk: str
    volume_group: str = ""
    volumes_disk: str = ""
    volumes_mebibytes: int = 0
    network: Network | None = None
    interface: str = ""
    time_servers: tuple[str, ...] = ()
    selinux: str = "enforcing"
    wants_selinux: bool = False
    proxy: str = field(default="", repr=False)
    mirror: Mirror | None = None

    @property
    def is_root(self) -> bool:
        """Whether pystack logs in as root."""
        return self.user == "root"

    @property
    def home(self) -> str:
        """The account's home."""
        return "/root" if self.is_root else f"/home/{self.user}"

    @property
    def erased(self) -> tuple[str, ...]:
        """The disks of which nothing is left."""
        return tuple(filter(None, (self.system_disk, self.volumes_disk)))


def machine(
    answers: Answers, host: str, wish: Wish, user: str, port: int, public_key: tuple[str, str]
) -> tuple[Machine, list[Refusal]]:
    """Return the machine that a host of the answer file is to be, and all that speaks against making it.

    Args:
        answers: the answer file.
        host: as the answer file names it.
        wish: what the answer file does not say.
        user: the account to log in as, by the answer file or ~/.ssh/config.
        port: of its SSH service, likewise.
        public_key: type and base64 of the key to let in.
    """
    groups = {item.address: item.groups for item in inventory.hosts(answers) if item.address != "localhost"}
    keeps_volumes = "storage" in groups.get(host, ()) and answers.is_used(VOLUME_GROUP)
    found = MIRROR.fullmatch(wish.mirror)
    refusals = [*_about_disks(host, wish), *_about_interface(wish), *_about_mirror(wish)]
    network = None
    if host not in groups:
        refusals.insert(0, _no_such(host, groups))
    else:
        network, about_network = _network(host, wish)
        refusals += [*_about_volumes(host, wish, keeps_volumes), *_about_port(host, port), *about_network]
    made = Machine(
        host=host,
        hostname=hostname_of(host),
        user=user,
        public_key=public_key,
        system_disk=wish.system_disk,
        volume_group=answers[VOLUME_GROUP] if keeps_volumes else "",
        volumes_disk=wish.volumes_disk,
        volumes_mebibytes=answers["CONFIG_CINDER_VOLUMES_SIZE"] // MIB if keeps_volumes else 0,
        network=network,
        interface=wish.interface,
        time_servers=tuple(map(str, answers["CONFIG_NTP_SERVERS"])),
        selinux="permissive" if answers["CONFIG_SELINUX"] == "permissive" else "enforcing",
        wants_selinux=answers["CONFIG_SELINUX"] == "require-enforcing",
        proxy=answers["CONFIG_HTTP_PROXY"] or "",
        mirror=Mirror(*found.groups()) if found else None,
    )
    return made, refusals


def hostname_of(host: str) -> str:
    """Return the name for a host that the answer file knows by name or by address.

    Hosts of a cloud must differ in name, so an address makes one: host-192-0-2-10.
    """
    address = _address(host)
    return f"host-{re.sub('[.:]', '-', address.exploded)}" if address else host


def _no_such(host: str, known: Iterable[str]) -> Refusal:
    if not host:
        return "which host?", "name it as the answer file does: --host HOST"
    others = ", ".join(known) or "none that can be installed"
    return f"the answer file has no host {host} to install", f"name one of its hosts: {others}"


def _about_disks(host: str, wish: Wish) -> Iterator[Refusal]:
    if not wish.system_disk:
        yield f"which disk of {host or 'the host'} is to be erased for the system?", "name it: --system-disk /dev/sda"
    for option, disk in (("--system-disk", wish.system_disk), ("--volumes-disk", wish.volumes_disk)):
        if disk and not DEVICE.fullmatch(disk):
            remedy = "write its path, such as /dev/sda or /dev/disk/by-id/wwn-0x5000c500a1b2c3d4"
            yield f"{option} does not name one disk", remedy
    if wish.volumes_disk and wish.volumes_disk == wish.system_disk:
        yield (
            "--system-disk and --volumes-disk name one disk",
            "leave --volumes-disk out for a volume group beside the system",
        )


def _about_volumes(host: str, wish: Wish, keeps_volumes: bool) -> Iterator[Refusal]:
    if wish.volumes_disk and not keeps_volumes:
        yield f"{host} keeps no volumes on LVM, so --volumes-disk would be erased for nothing", "leave the option out"


def _about_port(host: str, port: int) -> Iterator[Refusal]:
    if port != SSH_PORT:
        yield (
            f"pystack is to reach {host} at port {port}, and a fresh installation listens at port {SSH_PORT}",
            f"install with --set CONFIG_SSH_PORT={SSH_PORT}, and move the port afterwards",
        )


def _about_interface(wish: Wish) -> Iterator[Refusal]:
    if wish.interface and not INTERFACE.fullmatch(wish.interface):
        yield "--interface does not name a network interface", "write its name, such as eno1"


def _about_mirror(wish: Wish) -> Iterator[Refusal]:
    if wish.mirror and not MIRROR.fullmatch(wish.mirror):
        yield (
            "--mirror is no address of a mirror, without a login",
            "write it so: --mirror http://mirror.example.org/path",
        )


def _network(host: str, wish: Wish) -> tuple[Network | None, list[Refusal]]:
    refusals = []
    if not wish.gateway:
        if wish.nameservers:
            refusals.append((
                "--nameserver without --gateway: DHCP tells the host its name servers", "give both, or neither"
            ))  # fmt: skip
        return None, refusals
    address = _address(host)
    if address is None:
        refusals.append((
            f"{host} is a name, so a fixed address for it is not known",
            "leave --gateway out (DHCP), or name the host by its address in the answer file",
        ))  # fmt: skip
        return None, refusals
    try:
        there = ipaddress.ip_interface(wish.gateway)
    except ValueError:
        there = None
    if there is None or "/" not in wish.gateway or address not in there.network or address == there.ip:
        refusals.append((
            f"--gateway is not another address in the network of {host}",
            "write it with the length of the prefix, such as 192.0.2.1/24",
        ))  # fmt: skip
    servers = [_address(item) for item in wish.nameservers]
    if not servers or None in servers:
        refusals.append(("--gateway wants --nameserver, too: one address or several", "--nameserver 192.0.2.1"))
    if refusals or there is None:
        return None, refusals
    return Network(address, there.network.prefixlen, there.ip, tuple(item for item in servers if item)), []


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
