"""What tests must know of each package manager: what it says, what it leaves, how it gets a package of the test's."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from installer.lab import LabHost
from installer.resources.held_services import POLICY
from tests.lab import on_platform

#: The folder on a host of packages that tests make there.
OF_OWN = "/srv/repo"


@dataclass(frozen=True)
class PackageManager:
    """A package manager, as tests see it.

    Args:
        name: of its program.
        lists: what has it read what there is.
        transactions: prints how many transactions there were.
        unit_state: of a service that was installed and not touched since.
        comes: how progress begins that tells of a package's files, and ``settles``: of its scripts.
        settles: see there.
        holds: path of what holds services back meanwhile; empty: none is needed.
        torn: prints something if the last transaction was cut off.
        audit: prints what is wrong with what is installed.
        held: programs of Python that hold each of its locks for eight seconds.
        unknown: what pystack says of a package that there is not, and ``unknown_line`` the package manager itself.
        unknown_line: see there.
        failed: what pystack says of a package whose script failed, before its name.
        after_failure: what a plan says of that package then.
    """

    name: str
    lists: str
    transactions: str
    unit_state: str
    comes: str
    settles: str
    holds: str
    torn: str
    audit: str
    held: tuple[str, ...]
    unknown: str
    unknown_line: str
    failed: str
    after_failure: list[str]


_LOCKED = "import fcntl,time; f=open({path!r},'a'); fcntl.lockf(f,fcntl.LOCK_EX); time.sleep(8)"
_LAST = "import sqlite3; print(*sqlite3.connect('/var/lib/dnf/history.sqlite').execute('{}').fetchone())"

APT = PackageManager(
    name="apt-get",
    lists="apt-get -q update",
    transactions="grep -c ^Start-Date /var/log/apt/history.log",
    unit_state="enabled",
    comes="Unpacking",
    settles="Setting up",
    holds=str(POLICY),
    torn="dpkg-query -W -f '${db:Status-Abbrev}\\n' | grep -v '^ii ' || true",
    audit="dpkg --audit",
    held=(_LOCKED.format(path="/var/lib/dpkg/lock-frontend"),),
    unknown="no package source of this host has",
    unknown_line="E: Unable to locate package no-such-package",
    failed="failed while being installed or configured:",
    after_failure=["  state: half-configured -> installed"],
)
DNF = PackageManager(
    name="dnf",
    lists="true",
    transactions=f'python3 -c "{_LAST.format("select count(*) from trans")}"',
    # As its preset says: no service of another than the platform's own starts by itself there.
    unit_state="disabled",
    comes="Installing",
    settles="Installing",
    holds="",
    torn=f'python3 -c "{_LAST.format("select id from trans where state = 0")}"',
    audit="dnf -q check",
    held=(
        _LOCKED.format(path="/var/lib/rpm/.rpm.lock"),
        "import dnf.lock,time; l=dnf.lock.build_rpmdb_lock('/var/lib/dnf',True); l.__enter__(); time.sleep(8)",
    ),
    unknown="no repository of this host has",
    unknown_line="No match for argument: no-such-package",
    failed="failed while being installed:",
    # rpm leaves it out; what fails after the files have come counts for nothing there.
    after_failure=["+ state: installed"],
)
_BY_NAME = {"apt": APT, "dnf": DNF}


def of(host: LabHost) -> PackageManager:
    """Return the package manager of a host."""
    return _BY_NAME[on_platform.package_manager(host)]


_DEB = """
set -e; rm -rf /srv/own; mkdir -p /srv/own/DEBIAN {folder}; cd {folder}
printf 'Package: {name}\\nVersion: {version}\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: x\\n' \\
    > /srv/own/DEBIAN/control
printf '#!/bin/sh\\n%s\\n' {script} > /srv/own/DEBIAN/postinst; chmod 755 /srv/own/DEBIAN/postinst
dpkg-deb -b /srv/own {name}.deb
{{ cat /srv/own/DEBIAN/control; echo Filename: ./{name}.deb; echo Size: $(stat -c %s {name}.deb)
echo SHA256: $(sha256sum {name}.deb | cut -d' ' -f1); echo; }} >> Packages
echo 'deb [trusted=yes] file:{folder} ./' > /etc/apt/sources.list.d/own.list
"""
_RPM = """
set -e; mkdir -p {folder}; cd {folder}
printf '%s\\n' 'Name: {name}' 'Version: {version}' 'Release: 1' 'Summary: x' 'License: x' 'BuildArch: noarch' \\
    'AutoReqProv: no' '%description' x '%{moment}' {script} '%files' > /srv/own.spec
rpmbuild -bb --quiet --define '_topdir /srv/made' --define '_rpmdir {folder}' /srv/own.spec
createrepo_c --quiet .
printf '[own]\\nname=own\\nbaseurl=file://{folder}\\ngpgcheck=0\\nmetadata_expire=0\\n' > /etc/yum.repos.d/own.repo
"""


def offer(host: LabHost, name: str, script: str, version: str = "1", moment: str = "post") -> None:
    """Make a package in a repository of the host's own.

    Args:
        host: where.
        name: its name.
        script: what a shell does when it is installed.
        version: its version.
        moment: when, of RPM: ``pre`` or ``post``, which is before and after its files come; apt has it afterwards.
    """
    text = _RPM if of(host) is DNF else _DEB
    told = {"folder": OF_OWN, "name": name, "version": version, "moment": moment, "script": shlex.quote(script)}
    host.run(text.format(**told), check=True)
