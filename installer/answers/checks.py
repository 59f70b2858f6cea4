"""What no single value shows: parameters that contradict each other."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from installer.answers import demo_checks, volume_checks
from installer.answers.catalogue import Catalogue
from installer.answers.model import is_used
from installer.answers.network_types import Host
from installer.answers.problem import Problem, Severity
from installer.answers.types import List

#: Why CONFIG_NOVA_INSTALL=y needs CONFIG_NEUTRON_INSTALL=y.
NO_OTHER_NETWORK = "the compute service has had no network of its own since Ocata"
LOCAL = ("localhost", "127.0.0.1", "::1")


def cross_checks(values: Mapping[str, Any], catalogue: Catalogue, unread: Collection[str] = ()) -> list[Problem]:
    """Return the contradictions between the values of an answer file; ``key`` says where each belongs.

    Args:
        values: every parameter's value.
        catalogue: the known parameters.
        unread: parameters whose value could not be read, and that have their default for now.
    """
    return [
        *_hosts_listed_twice(values, catalogue),
        *_localhost_among_others(values, catalogue),
        *_certificate_without_files(values),
        *_keys_of_unknown_hosts(values, catalogue),
        *_instances_without_networks(values),
        *volume_checks.backends(values, catalogue),
        *volume_checks.ceph(values),
        *demo_checks.networks(values, unread),
        *_bridges_of_no_network(values, catalogue, unread),
        *_password_of_the_broker(values),
        *_password_of_keystones_database(values),
    ]


def named_hosts(values: Mapping[str, Any], catalogue: Catalogue) -> dict[str, str]:
    """Return every host that a parameter in use names, with the first parameter that names it."""
    found: dict[str, str] = {}
    for name in host_parameters(catalogue):
        if not is_used(name, catalogue, values):
            continue
        value = values[name]
        for host in value if isinstance(value, tuple) else (value,):
            if host:
                found.setdefault(host, name)
    return found


def host_parameters(catalogue: Catalogue) -> Iterator[str]:
    """Yield the names of the parameters that say which hosts the cloud has."""
    for parameter in catalogue:
        kind = parameter.type.item if isinstance(parameter.type, List) else parameter.type
        if isinstance(kind, Host) and parameter.name.endswith(("_HOST", "_HOSTS")):
            yield parameter.name


def _hosts_listed_twice(values: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Problem]:
    for name in host_parameters(catalogue):
        hosts = values[name] if isinstance(values[name], tuple) else ()
        for host in sorted({host for host in hosts if hosts.count(host) > 1}):
            yield Problem(Severity.ERROR, f"{name} lists {host} twice", "remove one, or correct it", key=name)


def _localhost_among_others(values: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Problem]:
    hosts = named_hosts(values, catalogue)
    local = [host for host in hosts if host in LOCAL]
    if local and len(hosts) > 1:
        other = next(host for host in hosts if host not in local[:1])
        yield Problem(
            Severity.ERROR,
            f"{hosts[local[0]]} is {local[0]}, but {hosts[other]} names another host, {other}, "
            f"which cannot reach it by that name",
            "write this machine's name or address, as the other hosts know it, everywhere",
            key=hosts[local[0]],
        )


def _certificate_without_files(values: Mapping[str, Any]) -> Iterator[Problem]:
    if values["CONFIG_SSL_CACERT_SELFSIGN"]:
        return
    for name, what in (("CONFIG_SSL_CACERT_FILE", "certificate"), ("CONFIG_SSL_CACERT_KEY_FILE", "private key")):
        if not values[name]:
            yield Problem(
                Severity.ERROR,
                f"CONFIG_SSL_CACERT_SELFSIGN=n needs the {what} of your certificate authority in {name}",
                f"set {name} to its path, or CONFIG_SSL_CACERT_SELFSIGN=y",
                key="CONFIG_SSL_CACERT_SELFSIGN",
            )


def _keys_of_unknown_hosts(values: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Problem]:
    hosts = named_hosts(values, catalogue)
    for item in values["CONFIG_SSH_HOST_KEYS"]:
        host = item.partition("=")[0]
        if host not in hosts:
            yield Problem(
                Severity.WARNING,
                f"CONFIG_SSH_HOST_KEYS has a fingerprint of {host}, which is none of the hosts",
                "write the host as the other parameters write it",
                key="CONFIG_SSH_HOST_KEYS",
            )


def _instances_without_networks(values: Mapping[str, Any]) -> Iterator[Problem]:
    if values["CONFIG_NOVA_INSTALL"] and not values["CONFIG_NEUTRON_INSTALL"]:
        yield Problem(
            Severity.ERROR,
            f"CONFIG_NEUTRON_INSTALL=n goes with CONFIG_NOVA_INSTALL=n alone: {NO_OTHER_NETWORK}",
            "write CONFIG_NEUTRON_INSTALL=y, or CONFIG_NOVA_INSTALL=n",
            key="CONFIG_NEUTRON_INSTALL",
        )


def _bridges_of_no_network(
    values: Mapping[str, Any], catalogue: Catalogue, unread: Collection[str]
) -> Iterator[Problem]:
    name, mappings = "CONFIG_NEUTRON_OVN_BRIDGE_IFACES", "CONFIG_NEUTRON_OVN_BRIDGE_MAPPINGS"
    if mappings in unread or not is_used(name, catalogue, values):
        return
    known = {mapping.partition(":")[2] for mapping in values[mappings]}
    for bridge, _, interface in (item.partition(":") for item in values[name]):
        if bridge not in known:
            yield Problem(
                Severity.ERROR,
                f"{name} gives {interface} to the bridge {bridge}, which no physical network has",
                f"name it in {mappings}, such as physnet1:{bridge}",
                key=name,
            )


def _password_of_the_broker(values: Mapping[str, Any]) -> Iterator[Problem]:
    # oslo.messaging cannot hand a slash on, see installer.urls.queue_url.
    name = _password_in_force("CONFIG_AMQP_AUTH_PASSWORD", values)
    if "/" in values[name].reveal():
        message = f"{name} holds a slash, with which no service can log in to the message queue"
        yield Problem(Severity.ERROR, message, "take one without", key=name)


def _password_of_keystones_database(values: Mapping[str, Any]) -> Iterator[Problem]:
    # Keystone 29's db_sync hands the database's address to configparser, to which % is special
    # (29.1.0: common/sql/upgrades.py, line 80; 30.0.0 doubles it first). In an address, % stands before all but these.
    name = _password_in_force("CONFIG_KEYSTONE_DB_PW", values)
    if values["CONFIG_OPENSTACK_RELEASE"] == "2026.1" and not re.fullmatch(
        r"[\w.~-]*", values[name].reveal(), re.ASCII
    ):
        yield Problem(
            Severity.ERROR,
            f"{name} holds a character with which Keystone of release 2026.1 cannot make its tables",
            "make it of letters, digits and - . _ ~ or take CONFIG_OPENSTACK_RELEASE=2026.2",
            key=name,
        )


def _password_in_force(name: str, values: Mapping[str, Any]) -> str:
    """Return the parameter that a password comes from: the default password has stood in where none was given."""
    default = "CONFIG_DEFAULT_PASSWORD"
    return default if values[default] and values[name] == values[default] else name
