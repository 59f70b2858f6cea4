"""`pystack kickstart`: an unattended installation of a host that does not exist yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from installer.cli.given import need_answer_file, settings
from installer.cli.options import verb
from installer.errors import UsageError

if TYPE_CHECKING:
    from installer.answers import Answers
    from installer.kickstart import Form, Machine, Wish
    from installer.refusals import Refusal
    from installer.transport.login import Login


@verb
def kickstart(
    _context: Any,
    answer_file: str = "",
    host: str = "",
    platform: str = "el-10",
    system_disk: str = "",
    volumes_disk: str = "",
    gateway: str = "",
    nameserver: Sequence[str] | None = None,
    interface: str = "",
    mirror: str = "",
    output: str = "",
    set_: Sequence[str] | None = None,
) -> int:
    """Write the unattended installation of a host that does not exist yet

    For Enterprise Linux and Fedora it is a kickstart file, for Debian a preseed file, for Ubuntu user-data
    for autoinstall. The host lets in your CONFIG_SSH_KEY and no password; one that keeps volumes on LVM has
    their volume group. Enterprise Linux and Fedora get SELinux enforcing, or permissive where CONFIG_SELINUX
    says so. Without --output it is printed. Whoever boots with it loses what is on the disks that you name.

    Examples:
      pystack kickstart --answer-file cloud.txt --host 192.0.2.10 --system-disk /dev/sda
          --set CONFIG_SSH_KEY=~/.ssh/id_ed25519 --output host.ks
      pystack kickstart --answer-file cloud.txt --host 192.0.2.10 --platform debian-13 --system-disk /dev/sda
          --volumes-disk /dev/sdb --gateway 192.0.2.1/24 --nameserver 192.0.2.1
          --set CONFIG_SSH_KEY=~/.ssh/id_ed25519

    Exit codes: 0 written, 2 it cannot be
    """
    path, overrides = need_answer_file(answer_file), settings(set_)
    from installer import answers
    from installer.cli.output import Screen
    from installer.kickstart import Wish
    from installer.platforms import short_name

    servers = tuple(address.strip() for item in nameserver or () for address in item.split(","))
    wish = Wish(system_disk, volumes_disk, gateway, servers, interface, mirror)
    platform = short_name(platform)
    form, machine = _judged(answers.load(path, overrides), host, platform, wish)
    text = form.render(machine)
    screen = Screen()
    if not output:
        screen.lines((line, "") for line in text.splitlines())
        return 0
    answers.write(output, text)
    screen.line(f"{output} is written: {form.title} for {platform}", "green")
    screen.line(f"it erases {' and '.join(machine.erased)} of whatever host it is started on", "yellow")
    if not machine.network:
        screen.line(f"its address comes from DHCP, which must give {machine.hostname} the one that {host} stands for")
    screen.line(f"what to do next: {form.hand_over}")
    return 0


def _judged(answers: Answers, host: str, platform: str, wish: Wish) -> tuple[Form, Machine]:
    """Return what to write, and of which machine.

    pystack will log in to it as the answer file says, then ~/.ssh/config.

    Raises:
        UsageError: it cannot be written; every reason is in the message.
    """
    from installer.cli.connecting import login_of
    from installer.kickstart import FORMS, machine
    from installer.platforms import misnamed
    from installer.refusals import refuse
    from installer.report import Composite, Quiet
    from installer.transport.settings import settings as how_to_reach

    login = login_of(answers, Composite(Quiet()))
    how = how_to_reach(host, login)
    key, refusals = _key(answers, login)
    made, about = machine(answers, host, wish, how.user, how.port, key)
    form = FORMS.get(platform)
    refuse([*refusals, *about, *(form.refusals(made) if form else [misnamed(platform)])])
    return FORMS[platform], made


def _key(answers: Answers, login: Login) -> tuple[tuple[str, str], list[Refusal]]:
    """Return the public key to let in, and what speaks against it."""
    from pathlib import Path

    from installer.cli.connecting import private_key
    from installer.kickstart.public_key import public_key

    if not answers["CONFIG_SSH_KEY"]:
        remedy = "add --set CONFIG_SSH_KEY=~/.ssh/id_ed25519"
        return ("", ""), [("CONFIG_SSH_KEY does not say whose key the host is to let in", remedy)]
    try:
        return public_key(private_key(Path(str(answers["CONFIG_SSH_KEY"]))), login), []
    except UsageError as problem:
        return ("", ""), [(problem.message, problem.remedy)]
