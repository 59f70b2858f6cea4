"""Makes Debian's base image look like another platform: RPM and dnf in charge, apt and dpkg gone."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from installer.lab import image, once, places, platforms
from installer.lab.places import Report, command, write
from installer.lab.stand_in import repository
from installer.lab.stand_in.spec import Spec
from installer.lab.stand_in.tree import remove
from installer.paths import TEMPLATES, read_yaml

TABLE = Path(__file__).with_name("platforms.yaml")
# Part of every image's name: raise it when the making below changes.
_RECIPE = "1"
_ROOM = 3.0
#: Debian's groups whose numbers packages of the platform insist on, and the numbers that they get.
_GROUPS = {"sudo": 928, "audio": 63}
#: Debian's package managers, and what only they need.
_HIDDEN = (
    *("usr/bin/apt*", "usr/bin/dpkg*", "usr/sbin/dpkg*", "usr/lib/apt", "usr/lib/dpkg", "usr/share/dpkg"),
    *("etc/apt", "etc/dpkg", "etc/debian_version", "var/lib/apt", "var/lib/dpkg", "var/cache/apt", "var/log/dpkg.log"),
    # A repository of its own, and what Debian's package of dnf cannot load.
    *("etc/dnf/plugins/local.conf", "usr/lib/python3/dist-packages/dnf-plugins/system_upgrade.py"),
    *("usr/sbin/adduser", "usr/sbin/addgroup", "usr/sbin/deluser", "usr/sbin/delgroup", "usr/sbin/policy-rc.d"),
    *("etc/systemd/system/timers.target.wants/apt-*", "usr/lib/systemd/system/apt-*"),
    *("etc/systemd/system/timers.target.wants/dpkg-*", "usr/lib/systemd/system/dpkg-*"),
)
#: What a freshly installed server has under these names, as its packages say it.
PROVIDED = (
    *("/bin/sh", "/usr/bin/bash", "/usr/bin/env", "/usr/bin/python3", "/usr/sbin/useradd", "/sbin/ldconfig"),
    *("bash", "ca-certificates", "coreutils", "dbus", "dnf", "findutils", "gawk", "grep", "iproute", "kmod", "openssh"),
    *("openssh-server", "openssl", "procps-ng", "python3", "rpm", "sed", "shadow-utils", "sudo", "system-release"),
    *("systemd", "util-linux"),
)
#: What EL's and Fedora's package of Python has in itself.
_WITH_PYTHON = ("python3-venv",)
#: Where a host without Python keeps that of dnf.
_OWN_PYTHON = "/usr/libexec/stand-in/python-of-dnf"
_MACROS = """\
%_dbpath /var/lib/rpm
%_unitdir /usr/lib/systemd/system
%_libdir /usr/lib64
%__python3 /usr/bin/python3
%dist {dist}
%_build_id_links none
"""
#: What EL's policy of SELinux has and Debian's has not: rpm runs scripts of packages in a domain of its own, HAProxy
#: may be let use all ports and reads folders of settings, and what RabbitMQ's nodes come to has a type.
_POLICY = """\
(typealias rpm_script_t)
(typealiasactual rpm_script_t unconfined_t)
(optional stand_in_haproxy
    (allow haproxy_t port_type (tcp_socket (name_bind name_connect)))
    (allow haproxy_t haproxy_conf_t (dir (open read getattr search)))
)
(portcon tcp 25672 (system_u object_r amqp_port_t ((s0) (s0))))
"""
#: Rules that EL's policy has for services; Debian's gets them with the installation, on Debian.
_SERVICES = ("haproxy", "rabbitmq", "volumes")
_UPDATE_TRUST = """\
#!/bin/sh
# Collects what the platform trusts, and what was added to it, in one file.
set -e
cd /etc/pki/ca-trust
umask 022
cat /usr/share/pki/ca-trust-source/*.pem >extracted/pem/.new
for anchor in source/anchors/*; do
    [ ! -f "$anchor" ] || { cat "$anchor"; echo; } >>extracted/pem/.new
done
mv extracted/pem/.new extracted/pem/tls-ca-bundle.pem
"""


def may_lack_python(platform: str) -> bool:
    """Tell whether a host of a platform may be without Python."""
    return bool(read_yaml(TABLE)[platform].get("dnf") == "program")


def provide(platform: str, python: bool, report: Report, further: Sequence[str] = ()) -> Path:
    """Return the folder of a stand-in's base image; makes it and its repository when there are none.

    Args:
        platform: such as ``el-9``.
        python: with Python 3, or without any that can be found; see `may_lack_python`.
        report: told of the making and its time.
        further: Debian's packages that the image holds beyond those of a server.

    Raises:
        LabFailed: when packages cannot be fetched or made.
        LabRefused: when the disk is too full, or the machine lacks what must go in.
    """
    packages = repository.provide(platform, report)
    base = image.provide(platforms.find(repository.UNDER), True, report, [*repository.TOOLS, *_WITH_PYTHON, *further])
    table = read_yaml(TABLE)[platform]
    parts = [base.name, packages.name, str(table), str(python), Path(__file__).read_text(), *_rules().values()]
    content = "\n".join([_RECIPE, *parts])
    made = places.IMAGES / f"{platform}-stand-in-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    what = f"the base image of a stand-in for {platform}{'' if python else ' without Python'}"
    return once.made(made, what, _ROOM, report, lambda unfinished: _make(unfinished, base, packages, table, python))


def _make(unfinished: Path, base: Path, packages: Path, table: Mapping[str, Any], python: bool) -> None:
    command(["cp", "-a", str(base), str(unfinished)])
    command(["cp", "-al", str(packages), str(unfinished / repository.SEEN_AT.lstrip("/"))])
    installed = repository.installed_packages(unfinished)
    _identity(unfinished, table)
    _package_manager(unfinished, table, installed, python)
    _policy(unfinished)
    _trust(unfinished)
    _hide(unfinished)
    if not python:
        _hide_python(unfinished)


def _identity(root: Path, table: Mapping[str, Any]) -> None:
    text = "".join(f'{key}="{value}"\n' for key, value in table["os_release"].items())
    (root / "etc/os-release").unlink()
    write(root / "usr/lib/os-release", text)
    (root / "etc/os-release").symlink_to("../usr/lib/os-release")
    write(root / "etc/system-release", f"{table['release']}\n")
    (root / "etc/redhat-release").symlink_to("system-release")
    for name, number in _GROUPS.items():
        command(["chroot", str(root), "groupmod", "-g", str(number), name])
    for folder in ("etc/sysconfig", "etc/my.cnf.d", "usr/libexec"):
        (root / folder).mkdir(exist_ok=True)
    (root / "usr/libexec/platform-python").symlink_to("../bin/python3")
    # As EL and Fedora have it: what is installed does not run until somebody says so.
    write(root / "usr/lib/systemd/system-preset/99-default-disable.preset", "disable *\n")


def _package_manager(root: Path, table: Mapping[str, Any], installed: Iterable[str], python: bool) -> None:
    write(root / "etc/rpm/macros", _MACROS.format(dist=table["dist"]))
    version = table["os_release"]["VERSION_ID"]
    write(
        root / "etc/dnf/dnf.conf",
        f"[main]\ngpgcheck=0\nreleasever={version}\ninstallonly_limit=3\nclean_requirements_on_remove=True\nbest=True\n",
    )
    for name, enabled in table["repositories"].items():
        write(
            root / "etc/yum.repos.d" / f"{name}.repo",
            f"[{name}]\nname={name}\nbaseurl=file://{repository.SEEN_AT}/{name}\nenabled={int(enabled)}\n"
            "gpgcheck=0\nmetadata_expire=0\n",
        )
    inside = ["chroot", str(root)]
    command([*inside, "rpm", "--initdb"])
    provided = [name for name in PROVIDED if python or "python3" not in name]
    base = Spec("system-base", str(version), provides=(*provided, *(f"deb({name})" for name in sorted(installed))))
    write(root / "system-base.spec", base.text())
    define = ["--define", "_rpmdir /rpms", "--define", "_topdir /rpms", "--define", "__transaction_unshare %{nil}"]
    command([*inside, "rpmbuild", "-bb", "--quiet", *define, "/system-base.spec"])
    (built,) = (root / "rpms").rglob("system-base-*.rpm")
    command([*inside, "rpm", "--install", *define[-2:], f"/{built.relative_to(root)}"])
    shutil.rmtree(root / "rpms")
    (root / "system-base.spec").unlink()
    if table.get("installed"):
        found = [
            f"/{path.relative_to(root)}"
            for name in table["installed"]
            for path in (root / repository.SEEN_AT.lstrip("/")).rglob(f"{name}-1*.rpm")
        ]
        command([*inside, "rpm", "--install", "--nodeps", *define[-2:], *found])


def _policy(root: Path) -> None:
    """Make up for what EL's policy of SELinux has and Debian's has not."""
    if not (root / "usr/sbin/semodule").exists():
        return
    texts = _rules()
    modules = [root / f"{name}.cil" for name in texts]
    for module, text in zip(modules, texts.values(), strict=True):
        write(module, text)
    command(["chroot", str(root), "semodule", "--noreload", "--install", *(f"/{module.name}" for module in modules)])
    for module in modules:
        module.unlink()


def _rules() -> dict[str, str]:
    """Return the modules of the policy, by name."""
    own = {f"stand-in-{name}": (TEMPLATES / "selinux" / f"{name}.cil").read_text() for name in _SERVICES}
    return {"stand-in": _POLICY, **own}


def _trust(root: Path) -> None:
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    write(root / "usr/share/pki/ca-trust-source/bundle.pem", bundle.read_text())
    for folder in ("source/anchors", "extracted/pem"):
        (root / "etc/pki/ca-trust" / folder).mkdir(parents=True)
    write(root / "usr/bin/update-ca-trust", _UPDATE_TRUST, 0o755)
    command(["chroot", str(root), "update-ca-trust"])
    bundle.unlink()
    bundle.symlink_to("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem")
    (root / "etc/pki/tls/certs").mkdir(parents=True)
    (root / "etc/pki/tls/certs/ca-bundle.crt").symlink_to("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem")
    for name in ("usr/sbin/update-ca-certificates", "usr/local/share/ca-certificates"):
        remove(root / name)


def _hide(root: Path) -> None:
    for pattern in _HIDDEN:
        for path in root.glob(pattern):
            remove(path)
    (root / "usr/sbin/adduser").symlink_to("useradd")


def _hide_python(root: Path) -> None:
    """Leave Python to dnf alone, which on the platform is written in another language."""
    (program,) = root.glob("usr/bin/python3.[0-9]*[0-9]")
    own = root / _OWN_PYTHON.lstrip("/")
    # It looks for its library from its own folder upwards, so it must stay below /usr.
    own.parent.mkdir()
    program.rename(own)
    for pattern in ("usr/bin/python3*", "usr/libexec/platform-python"):
        for path in root.glob(pattern):
            remove(path)
    script = (root / "usr/bin/dnf").resolve()
    _, _, rest = script.read_text().partition("\n")
    script.write_text(f"#!{_OWN_PYTHON}\n{rest}")
