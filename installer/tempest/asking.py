"""Asks the live cloud for what Tempest must know of it."""

from __future__ import annotations

from typing import Any

from keystoneauth1.exceptions import ClientException
from openstack.connection import Connection as Cloud

from installer.tempest.facts import (
    Backend,
    Facts,
    Flavor,
    Image,
    OutsideNetwork,
    Subnet,
    best_image,
    best_outside,
    stays,
)

#: Services whose requests can name a microversion.
VERSIONED = ("compute", "block-storage", "placement")


def ask(cloud: Cloud, image: str, outside: str) -> Facts:
    """Return what the cloud says of itself.

    Args:
        cloud: logged in to as the admin.
        image: name of the image that is preferred.
        outside: name of the outside network that is preferred.

    Raises:
        keystoneauth1.exceptions.ClientException: a service does not answer.
    """
    services = frozenset(entry["type"] for entry in _catalogue(cloud))
    return Facts(
        services=services,
        image=best_image(_images(cloud), image) if "image" in services else None,
        flavors=_flavors(cloud) if "compute" in services else (),
        outside=best_outside(_outside(cloud), outside) if "network" in services else None,
        network_extensions=_extensions(cloud) if "network" in services else (),
        compute_hosts=_compute_hosts(cloud) if "compute" in services else 0,
        backends=_backends(cloud) if "block-storage" in services else (),
        backup="block-storage" in services and _backup(cloud),
        disk_formats=_disk_formats(cloud) if "image" in services else (),
        versions={name: version for name in VERSIONED if name in services and (version := _newest(cloud, name))},
    )


def _catalogue(cloud: Cloud) -> list[dict[str, Any]]:
    auth: Any = cloud.session.auth
    return list(auth.get_access(cloud.session).service_catalog.catalog)


def _images(cloud: Cloud) -> list[Image]:
    found = cloud.image.images(status="active", visibility="public")
    return [
        Image(one.id, one.name, one.size or 0, one.min_disk or 0, one.min_ram or 0) for one in found if stays(one.name)
    ]


def _flavors(cloud: Cloud) -> tuple[Flavor, ...]:
    found = cloud.compute.flavors(is_public=True)
    return tuple(Flavor(one.id, one.name, one.ram, one.disk) for one in found if stays(one.name))


def _outside(cloud: Cloud) -> list[OutsideNetwork]:
    return [
        OutsideNetwork(
            network.id,
            network.name,
            tuple(Subnet(one.id, one.cidr) for one in cloud.network.subnets(network_id=network.id, ip_version=4)),
        )
        for network in cloud.network.networks(is_router_external=True)
        if stays(network.name)
    ]


def _extensions(cloud: Cloud) -> tuple[str, ...]:
    return tuple(sorted(one.alias for one in cloud.network.extensions()))


def _compute_hosts(cloud: Cloud) -> int:
    found = cloud.compute.services(binary="nova-compute")
    return sum(one.state == "up" and one.status == "enabled" for one in found)


def _backends(cloud: Cloud) -> tuple[Backend, ...]:
    pools = cloud.block_storage.get("/scheduler-stats/get_pools?detail=True").json().get("pools", [])
    return tuple(
        Backend(
            str(told.get("volume_backend_name", "")),
            str(told.get("vendor_name", "")),
            str(told.get("storage_protocol", "")),
        )
        for told in (pool["capabilities"] for pool in pools)
    )


def _backup(cloud: Cloud) -> bool:
    found = cloud.block_storage.services(binary="cinder-backup")
    return any(one.state == "up" and one.status == "enabled" for one in found)


def _disk_formats(cloud: Cloud) -> tuple[str, ...]:
    schema = cloud.image.get("/schemas/image").json()
    return tuple(one for one in schema["properties"]["disk_format"].get("enum", ()) if one)


def _newest(cloud: Cloud, service: str) -> str:
    """Return the newest microversion of a service; empty if it tells none."""
    try:
        told = cloud.session.get_endpoint_data(
            service_type=service, region_name=cloud.config.region_name, interface="public"
        )
    except ClientException:
        return ""
    version = told.max_microversion if told else None
    return ".".join(map(str, version)) if version else ""
