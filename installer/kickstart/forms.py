"""The forms that installers read: which template each platform takes, and what it has no way to say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from installer.kickstart.machine import KERNEL_NAME, Machine
from installer.platforms import supported
from installer.refusals import Refusal, refuse
from installer.render import render


@dataclass(frozen=True)
class Form:
    """A kind of unattended installation.

    Args:
        title: what it is called.
        template: path below templates/.
        has_selinux: whether what is installed has SELinux.
        divides_the_disk: whether it can make the volume group on a part of the system's disk.
        user: what the installer takes for an account's name, and sudo never for an alias or for everybody.
        by_kernel_name: whether it finds the system's disk by the kernel's name for it alone.
        finds_interface: whether a fixed address goes to the first interface that has a link.
        takes_proxy: whether packages come through CONFIG_HTTP_PROXY during the installation.
        hand_over: how its installer is given the file, for the operator; ``FILE`` and ``URL`` stand for it.
    """

    title: str
    template: str
    has_selinux: bool
    divides_the_disk: bool
    user: str
    by_kernel_name: bool
    finds_interface: bool
    takes_proxy: bool
    hand_over: str

    def render(self, machine: Machine) -> str:
        """Return the file's text.

        Raises:
            UsageError: this installer cannot make the machine; every reason is in the message.
            AnswerFileError: a value that this kind of file has no way to write.
        """
        refuse(self.refusals(machine))
        return render(self.template, machine=machine).content

    def refusals(self, machine: Machine) -> Iterator[Refusal]:
        """Yield what this installer cannot make of a machine, each with its remedy; what is not known is let pass."""
        if machine.wants_selinux and not self.has_selinux:
            yield (
                "CONFIG_SELINUX=require-enforcing, and this distribution is installed without SELinux",
                "install with --set CONFIG_SELINUX=keep, or choose another --platform",
            )
        if machine.volume_group and not machine.volumes_disk and not self.divides_the_disk:
            yield (
                f"{self.title} has no way to put the volume group {machine.volume_group} beside the system",
                "name a disk of its own for it: --volumes-disk /dev/sdb",
            )
        if not re.fullmatch(self.user, machine.user):
            yield (
                f"{self.title} cannot make a user with this name (CONFIG_SSH_USER)",
                "choose one of small letters, digits, _ and -, or root",
            )
        if self.by_kernel_name and machine.system_disk and not KERNEL_NAME.fullmatch(machine.system_disk):
            yield (
                f"{self.title} finds the system's disk by the kernel's name for it alone",
                "write it so: --system-disk /dev/sda",
            )
        if self.takes_proxy and "@" in machine.proxy:
            yield (
                "CONFIG_HTTP_PROXY holds a password, which would stand in the file that is made",
                "give one without, or none: --set CONFIG_HTTP_PROXY=",
            )
        if machine.network and not (machine.interface or self.finds_interface):
            yield f"{self.title} must be told which interface gets the address", "name it: --interface eno1"


#: Anaconda: https://pykickstart.readthedocs.io/en/latest/kickstart-docs.html
_ANACONDA = Form(
    "Kickstart",
    "kickstart/anaconda.ks.j2",
    has_selinux=True,
    divides_the_disk=True,
    user=r"[a-z_][a-z0-9_.-]*",
    by_kernel_name=False,
    finds_interface=True,
    takes_proxy=False,
    hand_over="start the installer with inst.ks=URL",
)
#: debian-installer: https://www.debian.org/releases/stable/amd64/apb.en.html; names as in user-setup-udeb's templates.
_PRESEED = Form(
    "Preseeding",
    "kickstart/debian.preseed.j2",
    has_selinux=False,
    divides_the_disk=False,
    user=r"[a-z][a-z0-9_-]*",
    by_kernel_name=False,
    finds_interface=True,
    takes_proxy=True,
    hand_over="start the installer with auto=true priority=critical url=URL",
)
#: Subiquity: https://canonical-subiquity.readthedocs-hosted.com/en/latest/reference/autoinstall-reference.html;
#: how it finds a disk: subiquity/models/filesystem.py, ``_make_matchers``.
_AUTOINSTALL = Form(
    "Autoinstall",
    "kickstart/ubuntu.yaml.j2",
    has_selinux=False,
    divides_the_disk=False,
    user=r"[a-z_][a-z0-9_-]*",
    by_kernel_name=True,
    finds_interface=False,
    takes_proxy=True,
    # To GRUB a bare semicolon is the end of a command: docs.cloud-init.io/en/24.1/reference/datasources/nocloud.html.
    hand_over="serve it as user-data beside an empty meta-data; "
    "start the installer with autoinstall 'ds=nocloud;s=URL/' (GRUB wants the quotes; pxelinux and iPXE want none)",
)
_BY_FAMILY = {"el": _ANACONDA, "fedora": _ANACONDA, "debian": _PRESEED, "ubuntu": _AUTOINSTALL}

#: By platform.
FORMS = {platform: _BY_FAMILY[platform.partition("-")[0]] for platform in (one.name for one in supported())}
