"""Making lab hosts, removing them, and what an answer file needs to know of them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from installer.lab import bases, image, keys, kinds, machine, network, places, platforms, settings, shares
from installer.lab.host import LabHost, get, hosts, load
from installer.lab.places import LabRefused, Report, check_name, host_folder, lock, silent, write
from installer.lab.runner import Wish
from installer.lab.settings import Login
from installer.resources.secret import Secret

_ROOM_PER_HOST = 2.0


def up(
    names: Sequence[str],
    platform: str = "debian-13",
    report: Report = silent,
    *,
    python: bool = True,
    sudo_user: str = "",
    sudo_password: Secret | str | None = None,
    binds: Sequence[str] = (),
    external: bool = False,
    kernel: str = "shared",
    disks: Sequence[int] = (),
    selinux: str = "",
    memory: int = 0,
) -> list[LabHost]:
    """Make throw-away hosts, boot them and wait until one can log in.

    Args:
        names: short names of the hosts.
        platform: what they run, as `platforms.find` takes it.
        report: told in words what is being done.
        python: with Python 3 or without.
        sudo_user: log in as this user, who may use sudo, instead of root, whose login is then refused.
        sudo_password: that user's password for SSH and sudo; None: key only, sudo without password.
        binds: folders of this machine that the hosts see, as nspawn's ``--bind=`` takes them.
        external: give them what a whole cloud needs: a second interface, ``ext0``, in a network of its own, for
            floating addresses, and, where they share this machine's kernel, a share for volumes.
        kernel: ``shared``: containers on this machine's kernel; ``own``: each with a kernel of its own, for what needs
            device-mapper, iSCSI or SELinux.
        disks: sizes in GiB of empty disks that each gets beside its first, ``/dev/ubdb`` and so on; own kernel only.
        selinux: the state that they boot into, ``disabled``, ``permissive`` or ``enforcing``; empty: without SELinux;
            own kernel only.
        memory: of each in MiB; 0: 2048 for a kernel of its own, this machine's for a shared one.

    Raises:
        LabRefused: before anything is changed: not root, a name taken or not usable, something that hosts of that kind
            cannot have, the disk full, no package source, bridge or network belonging to somebody else.
        LabFailed: when image or host could not be made; the hosts made so far are removed again.
    """
    found = platforms.find(platform)
    wish = Wish(kernel, python, external, tuple(binds), tuple(disks), selinux, memory)
    kind = kinds.find(wish)
    for name in names:
        check_name(name)
    if len(set(names)) < len(names):
        raise LabRefused(f"a name is given twice: {', '.join(names)}", "Give every lab host a name of its own.")
    machine.check(report=report)
    _check_free(names)
    machine.check_room(places.LAB, _ROOM_PER_HOST * len(names), "making these lab hosts")
    for doubt in [*machine.doubtful_name_servers(), *network.doubtful_firewall()]:
        report(doubt)
    base = kind.provide(found, wish, report)
    password = Secret(sudo_password) if isinstance(sudo_password, str) else sudo_password
    login = Login(sudo_user or "root", password)
    started = time.monotonic()
    made: list[LabHost] = []
    try:
        with lock("lab"):
            _check_free(names)
            for name in names:
                made.append(_make(name, found.name, base, login, wish))
            _write_known_hosts()
        for host in made:
            host.boot()
        for host in made:
            host.wait()
            seconds = time.monotonic() - started
            report(f"{told(host)} is up at {host.address} after {seconds:.1f} s")
    except BaseException:
        down([host.name for host in made])
        raise
    return made


def told(host: LabHost) -> str:
    """Return what a host is called where its making is told of: with its platform, and whether it is a real one."""
    word = {bases.DISTRIBUTION: "real", bases.STAND_IN: "a stand-in"}[host.made_from]
    return f"lab host {host.name} ({host.platform}, {word})"


def _check_free(names: Sequence[str]) -> None:
    taken = [name for name in names if load(name) is not None]
    if taken:
        raise LabRefused(
            f"lab hosts of these names exist already: {', '.join(taken)}",
            f"Use them as they are, or remove them: `pystack lab-down {' '.join(taken)}`.",
        )


def _make(name: str, platform: str, base: Path, login: Login, wish: Wish) -> LabHost:
    subnet = network.ensure()
    folder = host_folder(name)
    if folder.exists():
        # Left by a run that was cut off before the host was complete.
        kinds.clear(folder)
    folder.mkdir(mode=0o700, parents=True)
    own = keys.make()
    address = network.free_address(subnet, [host.address for host in hosts()])
    host = LabHost(name, platform, address, login.user, str(base), own.public, wish)
    with host.runner.furnish() as root:
        settings.apply(root, name, address, subnet, login, _public_key(), own)
        if wish.external:
            outside = network.ensure(network.outer())
            settings.apply_external(root, network.counterpart(address, outside), outside)
    host.save()
    return host


def _public_key() -> str:
    private, public = places.LAB / "id_ed25519", places.LAB / "id_ed25519.pub"
    if not (private.exists() and public.exists()):
        pair = keys.make()
        write(private, pair.private, 0o600)
        write(public, f"{pair.public}\n")
    return public.read_text().strip()


def _write_known_hosts() -> None:
    lines = [f"{host.address},{host.name},{host.name}.{places.DOMAIN} {host.host_key}\n" for host in hosts()]
    write(places.LAB / "known_hosts", "".join(lines))


def down(names: Sequence[str] | None = None, report: Report = silent, purge: bool = False) -> None:
    """Remove lab hosts; with the last one go bridge, address translation and the lab's key too.

    Args:
        names: which ones; None: all.
        report: told in words what is being done.
        purge: remove the cached base images as well, when no host is left.

    Raises:
        LabRefused: when there is no host of such a name, or not root.
    """
    # Where no lab is, nothing has to be taken away with them: a machine that never had one need not have them.
    machine.check(("ip", "nft") if places.LAB.exists() else ())
    with lock("lab"):
        for host in hosts() if names is None else [get(name) for name in names]:
            report(f"removing lab host {host.name}")
            host.remove()
        if hosts():
            _write_known_hosts()
            return
        if places.LAB.exists():
            report("removing the lab's networks")
            for folder in (places.LAB / "hosts").glob("*"):
                # Left by a run that was cut off before the host was complete.
                kinds.clear(folder)
            network.remove()
            shutil.rmtree(places.LAB)
        if purge:
            image.purge(report)
        for folder in (places.LAB.parent, places.IMAGES.parent):
            # Not empty, or a mount point of somebody else: then it is not the lab's to remove.
            with contextlib.suppress(OSError):
                folder.rmdir()


def shell(name: str) -> None:
    """Become an interactive SSH session on a lab host, started first where it does not run; does not return.

    Raises:
        LabRefused: when there is no such host.
    """
    host = get(name)
    host.start()
    argv = host.ssh()
    os.execvp(argv[0], argv)  # noqa: S606 -- the terminal is handed over, there is nothing to quote


def answers(members: Sequence[LabHost]) -> dict[str, str]:
    """Return the parameters that an answer file needs to install on lab hosts; the first is the controller.

    The private key's path is not among them, because it belongs to the one who installs: `LabHost.private_key`.

    Args:
        members: the hosts. The user is left out when they do not all have the same.
    """
    workers = members[1:] or members
    values = {
        "CONFIG_CONTROLLER_HOST": members[0].address,
        "CONFIG_COMPUTE_HOSTS": ",".join(host.address for host in workers),
        "CONFIG_NETWORK_HOSTS": members[0].address,
        # A kernel that hosts share may have no way to make a volume group, and one of its own has none to begin with;
        # containers for a whole cloud have a share.
        "CONFIG_CINDER_INSTALL": "n",
        "CONFIG_SSH_HOST_KEYS": ",".join(f"{host.address}={keys.fingerprint(host.host_key)}" for host in members),
    }
    if all(host.external_address for host in members):
        values["CONFIG_NEUTRON_OVN_BRIDGE_IFACES"] = f"br-ex:{places.EXTERNAL}"
        # Open vSwitch in userspace, which a lab host may have to use, makes tunnels only from a bridge's address.
        values["CONFIG_NEUTRON_OVN_TUNNEL_IF"] = places.EXTERNAL
        values["CONFIG_NEUTRON_OVN_BRIDGES_COMPUTE"] = "br-ex"
        if any(host.wish.kernel == "own" for host in members):
            # That kernel's own switch has no zones of conntrack (CONFIG_NF_CONNTRACK_ZONES), which OVN needs.
            values["CONFIG_NEUTRON_OVS_DATAPATH"] = "netdev"
        if all(host.runner.has_share for host in members):
            values["CONFIG_CINDER_INSTALL"] = "y"
            values["CONFIG_CINDER_BACKEND"] = "nfs"
            values["CONFIG_CINDER_NFS_MOUNTS"] = shares.of(members[0].name, members[0].address)
        outside = network.current(network.outer())
        if outside is not None:
            first, last = network.floating(members[0].address, outside)
            values["CONFIG_PROVISION_DEMO_FLOATRANGE"] = str(outside)
            values["CONFIG_PROVISION_DEMO_GATEWAY"] = str(network.gateway(outside))
            values["CONFIG_PROVISION_DEMO_ALLOCATION_POOLS"] = json.dumps([f"start={first},end={last}"])
    users = {host.user for host in members}
    return values | ({"CONFIG_SSH_USER": users.pop()} if len(users) == 1 else {})
