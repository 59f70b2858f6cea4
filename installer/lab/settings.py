"""The files that make a base image into one particular host: its name, address, keys, users, trust."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from installer.lab import trust
from installer.lab.keys import KeyPair
from installer.lab.machine import resolv_conf
from installer.lab.network import gateway
from installer.lab.places import DOMAIN, EXTERNAL, command, write
from installer.resources.secret import Secret

#: Stands in the file system of a host that has a second interface.
EXTERNAL_FILE = "etc/systemd/network/20-lab-external.network"
_NETWORK_MANAGER = "usr/sbin/NetworkManager"
_CONNECTIONS = "NetworkManager/system-connections"


@dataclass(frozen=True)
class Login:
    """How one gets into a host.

    Args:
        user: ``root``, or the name of a user who may use sudo; root's own login is then refused.
        password: the user's password, for SSH and for sudo; None: by key only, sudo without password.
    """

    user: str = "root"
    password: Secret | None = None


def apply(root: Path, name: str, address: str, network: IPv4Network, login: Login, key: str, own: KeyPair) -> None:
    """Write a host's settings into its file system.

    Args:
        root: the host's mounted file system.
        name: its short name.
        address: its address in the lab's network.
        network: the lab's network.
        login: who gets in, and how.
        key: the public key that logs in.
        own: the key pair that the host is known by.
    """
    etc = root / "etc"
    write(etc / "hostname", f"{name}\n")
    write(etc / "hosts", hosts_file(name, address))
    write(etc / "machine-id", uuid.uuid4().hex + "\n", 0o444)
    write(etc / "resolv.conf", resolv_conf())
    # The kernel gives a new network namespace the machine's own forwarding, which the lab has switched on; a freshly
    # installed server has it off. In /usr and early in the order, so that every setting of the host's own wins.
    write(root / "usr/lib/sysctl.d/10-lab.conf", "net.ipv4.ip_forward = 0\n")
    if (root / _NETWORK_MANAGER).exists():
        write(etc / _CONNECTIONS / "lab.nmconnection", connection_file(address, network), 0o600)
    else:
        write(etc / "systemd/network/10-lab.network", network_file(address, network))
    write(etc / "ssh/ssh_host_ed25519_key", own.private, 0o600)
    write(etc / "ssh/ssh_host_ed25519_key.pub", own.public + "\n")
    index_and_proxies(etc, network)
    _login(root, login, key)


def hosts_file(name: str, address: str) -> str:
    """Return a host's /etc/hosts: itself only, as a freshly installed server has it."""
    return f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{address} {name}.{DOMAIN} {name}\n"


def connection_file(address: str, network: IPv4Network, name: str = "host0", way_out: bool = True) -> str:
    """Return NetworkManager's file of an interface, for distributions that have it in the place of systemd-networkd.

    Args:
        address: the host's in that network.
        network: the network that the interface is in.
        name: what the host calls the interface.
        way_out: whether the way to everywhere else leads through it.
    """
    beyond = f",{gateway(network)}" if way_out else ""
    return (
        f"[connection]\nid={name}\ntype=ethernet\ninterface-name={name}\n\n"
        f"[ipv4]\nmethod=manual\naddress1={address}/{network.prefixlen}{beyond}\n\n[ipv6]\nmethod=disabled\n"
    )


def network_file(address: str, network: IPv4Network) -> str:
    """Return the systemd-networkd file of the host's first interface, which nspawn names ``host0``."""
    return (
        f"[Match]\nName=host0\n\n[Network]\nAddress={address}/{network.prefixlen}\nGateway={gateway(network)}\n"
        "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )


def apply_external(root: Path, address: str, network: IPv4Network) -> None:
    """Write the settings of a host's second interface into its file system.

    Args:
        root: the host's mounted file system.
        address: its address there.
        network: the network it leads to.
    """
    if (root / _NETWORK_MANAGER).exists():
        text = connection_file(address, network, EXTERNAL, way_out=False)
        write(root / "etc" / _CONNECTIONS / "lab-external.nmconnection", text, 0o600)
        return
    write(
        root / EXTERNAL_FILE,
        f"[Match]\nName={EXTERNAL}\n\n[Link]\nRequiredForOnline=no\n\n"
        f"[Network]\nAddress={address}/{network.prefixlen}\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n",
    )


def index_and_proxies(etc: Path, network: IPv4Network) -> None:
    """Write which package index and proxies a host uses: this machine's.

    Args:
        etc: its folder /etc.
        network: the lab's network, which is reached without a proxy.
    """
    own = bool(trust.read_own_authorities())
    index, extra = trust.read_index_addresses()
    for path, text in (
        (etc / "pip.conf", trust.pip_conf(index, extra, own)),
        (etc / "uv/uv.toml", trust.uv_toml(index, extra, own)),
    ):
        if text:
            # An address can hold a password.
            write(path, text, 0o600 if "@" in text else 0o644)
    proxies = trust.proxy_environment(os.environ, str(network))
    if proxies:
        write(etc / "environment", "".join(f'{name}="{value}"\n' for name, value in sorted(proxies.items())))


def _login(root: Path, login: Login, key: str) -> None:
    home = root / "root"
    if login.user != "root":
        inside = ["chroot", str(root)]
        # Debian has groups without a user of the same name, such as operator.
        groups = [line.partition(":")[0] for line in (root / "etc/group").read_text().splitlines()]
        group = "sudo" if "sudo" in groups else "wheel"
        primary = ["--gid", login.user] if login.user in groups else ["--user-group"]
        command([*inside, "useradd", "--create-home", "--shell", "/bin/bash", "--groups", group, *primary, login.user])
        if login.password is not None:
            command([*inside, "chpasswd"], stdin=f"{login.user}:{login.password.reveal()}\n")
        else:
            write(root / "etc/sudoers.d/lab", f"{login.user} ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440)
        home = root / "home" / login.user
    write(
        root / "etc/ssh/sshd_config.d/lab.conf",
        f"PermitRootLogin {'prohibit-password' if login.user == 'root' else 'no'}\n"
        f"PasswordAuthentication {'yes' if login.password is not None else 'no'}\n",
    )
    owner = home.stat()
    folder = home / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    write(folder / "authorized_keys", f"{key} pystack lab\n", 0o600)
    for path in (folder, folder / "authorized_keys"):
        os.chown(path, owner.st_uid, owner.st_gid)
