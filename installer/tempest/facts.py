"""What Tempest must know of a cloud: plain data, and what follows from it. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

#: What the names of things begin with that a verification has made, and removes while Tempest is at work: pystack's own
#: (``installer.verify.names``) and Tempest's.
PASSING = ("pystack-verify-", "tempest-")
#: Where Tempest's networks may be, the first choice first: one that the outside does not use.
PROJECT_NETWORKS = ("10.100.0.0/16", "172.24.0.0/16", "192.168.128.0/17")
MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True)
class Image:
    """An image that instances can boot from.

    Args:
        id: in the image service.
        name: what people call it.
        size: bytes of its file.
        min_disk: GiB of disk that it asks for.
        min_ram: MiB of memory that it asks for.
    """

    id: str
    name: str
    size: int = 0
    min_disk: int = 0
    min_ram: int = 0


@dataclass(frozen=True)
class Flavor:
    """A size of instances: memory in MiB, disk in GiB (0: as large as the image)."""

    id: str
    name: str
    ram: int
    disk: int

    def fits(self, image: Image) -> bool:
        """Tell whether an image can boot with it."""
        roomy = self.disk == 0 or (self.disk >= image.min_disk and self.disk * GIB >= image.size)
        return roomy and self.ram >= image.min_ram


@dataclass(frozen=True)
class Subnet:
    """A range of addresses of a network, as the network service writes it."""

    id: str
    cidr: str


@dataclass(frozen=True)
class OutsideNetwork:
    """A network with floating addresses, and its IPv4 subnets."""

    id: str
    name: str
    subnets: tuple[Subnet, ...]


@dataclass(frozen=True)
class Backend:
    """What keeps volumes, as the volume service's scheduler sees it."""

    name: str
    vendor: str
    protocol: str


@dataclass(frozen=True)
class Facts:
    """What the live cloud says of itself.

    Args:
        services: types of the catalogue.
        image: what instances boot from.
        flavors: sizes of instances.
        outside: the network that floating addresses are of.
        network_extensions: aliases of what the network service can do.
        compute_hosts: how many hosts take instances.
        backends: what keeps volumes.
        backup: whether volumes can be backed up.
        disk_formats: of images that the image service takes.
        versions: service to the newest microversion that it speaks.
    """

    services: frozenset[str] = frozenset({"identity"})
    image: Image | None = None
    flavors: tuple[Flavor, ...] = ()
    outside: OutsideNetwork | None = None
    network_extensions: tuple[str, ...] = ()
    compute_hosts: int = 0
    backends: tuple[Backend, ...] = ()
    backup: bool = False
    disk_formats: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def usable_flavors(self) -> tuple[Flavor, ...]:
        """The flavors that the image boots with, the smallest first."""
        fit = [flavor for flavor in self.flavors if self.image is not None and flavor.fits(self.image)]
        return tuple(sorted(fit, key=lambda flavor: (flavor.ram, flavor.disk, flavor.name)))

    @property
    def instances(self) -> bool:
        """Whether an instance can be started at all."""
        return "compute" in self.services and bool(self.usable_flavors) and self.compute_hosts > 0

    @property
    def reachable(self) -> bool:
        """Whether an instance can be logged in to from outside."""
        return self.instances and self.outside is not None and "router" in self.network_extensions


def gaps(facts: Facts) -> list[tuple[str, str]]:
    """Return what cannot be tested although the service for it is there, and why."""
    found: list[tuple[str, str]] = []
    if "compute" in facts.services:
        if facts.image is None:
            found.append(("the compute service", "there is no active public image to boot instances from"))
        elif not facts.usable_flavors:
            found.append(("the compute service", f"there is no public flavor that {facts.image.name} boots with"))
        elif not facts.compute_hosts:
            found.append(("the compute service", "no compute host is up"))
        elif not facts.reachable:
            found.append(("logging in to instances", "there is no outside network with floating addresses"))
    if "block-storage" in facts.services and not facts.backends:
        found.append(("the volume service", "it has no backend that is up"))
    return found


def stays(name: str | None) -> bool:
    """Tell whether something of this name may be relied on."""
    return not (name or "").startswith(PASSING)


def best_image(images: Sequence[Image], wanted: str) -> Image | None:
    """Return the image of the answer file's name, else the smallest."""
    ordered = sorted(images, key=lambda image: (image.name != wanted, image.size, image.id))
    return ordered[0] if ordered else None


def best_outside(networks: Sequence[OutsideNetwork], wanted: str) -> OutsideNetwork | None:
    """Return the outside network that pystack makes, else the first with IPv4 addresses."""
    ordered = sorted(
        (network for network in networks if network.subnets), key=lambda network: (network.name != wanted, network.name)
    )
    return ordered[0] if ordered else None


def project_network(taken: Iterable[str]) -> str:
    """Return a range for Tempest's own networks that is none of the outside's: routers could not tell them apart."""
    outside = [ipaddress.ip_network(cidr) for cidr in taken]
    for choice in PROJECT_NETWORKS:
        own = ipaddress.ip_network(choice)
        if not any(own.version == other.version and own.overlaps(other) for other in outside):
            return choice
    return PROJECT_NETWORKS[0]


def workers(cores: int, compute_hosts: int) -> int:
    """Return how many tests may run at the same time.

    Args:
        cores: of the machine that runs Tempest; each worker keeps half of one busy, and the cloud may be on it too.
        compute_hosts: each can start two instances at a time without one waiting for the other.
    """
    return max(1, min(cores // 2, 2 * max(1, compute_hosts), 8))
