"""Stand-ins: what RPMs are made of, and that all is there that roles ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from installer import plan
from installer.lab import bases, distribution, places
from installer.lab.places import LabRefused, PlatformNotPossible
from installer.lab.platforms import PLATFORMS
from installer.lab.stand_in import debs, disguise, interpreter, spec
from installer.lab.stand_in.debs import Deb
from installer.lab.stand_in.recipe import REPOSITORIES, Recipe, all_recipes
from installer.lab.stand_in.spec import Entry, Spec
from installer.lab.stand_in.tree import entries, lay_out
from installer.paths import read_yaml
from installer.platforms import Platform
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.roles import all_roles
from tests.unit.roles.test_roles import cloud_of

STAND_INS = [name for name, platform in PLATFORMS.items() if platform.rpm]
#: What pystack makes itself begins so.
OWN_UNITS = ("openstack-", "pystack-")
CONTROL = """\
Package: web
Version: 1:2.4-5+b1
Pre-Depends: init-system-helpers (>= 1.54~)
Depends: libc6 (>= 2.34), mail-agent | exim4, libssl3:any, debconf (>= 0.5) |
 debconf-2.0
Provides: httpd, httpd-cgi (= 2)
"""


def test_a_platform_whose_python_this_machine_does_not_have_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "candidates", lambda _version: [])
    with pytest.raises(PlatformNotPossible, match=r"a stand-in for el-9 needs Python 3\.12") as refusal:
        interpreter.needed("el-9")
    assert "uv python install 3.12" in refusal.value.remedy
    assert interpreter.needed("fedora-43") is None


def planned(platform: str) -> list[object]:
    cloud = cloud_of(platform=platform, CONFIG_CINDER_BACKEND="lvm,nfs", CONFIG_CINDER_NFS_MOUNTS="192.0.2.1:/x")
    return [item for step in plan.build(cloud, all_roles()) for item in step.resources]


def test_a_package_says_what_it_is_and_what_it_needs() -> None:
    web = debs.parse(Path("web.deb"), CONTROL)
    assert (web.name, web.version, web.provides) == ("web", "2.4-5+b1", ("httpd", "httpd-cgi"))
    assert ("mail-agent", "exim4") in web.depends
    exim = Deb(Path("e"), "exim4", "4", provides=("mail-agent",))
    assert debs.needs(web, [web, exim], {"libc6"}) == ["exim4", "libc6"]
    assert debs.needs(web, [web], {"libc6", "libssl3"}) == ["libc6", "libssl3"]


def test_an_rpm_makes_its_accounts_before_and_settles_its_units_after() -> None:
    text = Spec(
        "mariadb-server",
        "1.0",
        "/tree",
        (
            Entry("/usr/lib/systemd/system/mariadb.service", 0o644),
            Entry("/usr/lib/systemd/system/mariadb@.service", 0o644),
            Entry("/var/lib/mysql", 0o755, "mysql", "mysql", folder=True),
            Entry("/etc/my.cnf.d/a.cnf", 0o644, configuration=True),
            Entry("/usr/share/100% [x].txt", 0o644),
        ),
        accounts={"mysql": {"number": 27, "home": "/var/lib/mysql"}},
    ).text()
    before, after = text.split("%post")
    assert "useradd -r -u 27 -g mysql -d /var/lib/mysql" in before.split("%pre")[1]
    assert "systemctl preset mariadb.service >" in after
    assert '%dir %attr(0755,mysql,mysql) "/var/lib/mysql"' in after
    assert '%config(noreplace) %attr(0644,root,root) "/etc/my.cnf.d/a.cnf"' in after
    assert r'"/usr/share/100%% \[x\].txt"' in after


def test_a_version_of_debian_becomes_one_of_rpm() -> None:
    assert spec.plain_version("11.8.9+ds-0+deb13u1") == "11.8.9+ds_0+deb13u1"


def test_what_a_recipe_changes_is_changed_and_no_folder_of_the_system_is_left_empty(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    recipe = Recipe(
        "x",
        folders={"/var/lib/x": ("0750", "x", "x")},
        links={"/usr/sbin/x": "../bin/x"},
        files={"/etc/x.conf": "a\n", "/usr/libexec/x": "#!/bin/sh\n"},
    )
    lay_out(tree, [], recipe)
    found = {entry.path: entry for entry in entries(tree, recipe)}
    assert set(found) == {"/var/lib/x", "/usr/sbin/x", "/etc/x.conf", "/usr/libexec/x"}
    assert (found["/var/lib/x"].owner, found["/var/lib/x"].mode) == ("x", 0o750)
    assert found["/usr/libexec/x"].mode == 0o755
    assert found["/etc/x.conf"].configuration
    assert found["/usr/sbin/x"].mode is None


@pytest.mark.parametrize("platform", STAND_INS)
def test_every_package_that_a_whole_cloud_asks_for_is_in_a_repository(platform: str) -> None:
    there = {recipe.name_on(platform) for recipe in all_recipes()}
    there |= {name for recipe in all_recipes() if recipe.name_on(platform) for name in recipe.provides}
    asked = {item.package for item in planned(platform) if isinstance(item, Package) and not item.absent}
    assert asked - there - set(disguise.PROVIDED) == set()


@pytest.mark.parametrize("platform", STAND_INS)
def test_every_unit_of_a_whole_cloud_is_in_a_package(platform: str) -> None:
    folder = "/usr/lib/systemd/system/"
    own = {path.removeprefix(folder) for recipe in all_recipes() for path in recipe.files if path.startswith(folder)}
    # As Debian's packages have them.
    taken = {"virtlogd.socket", "rabbitmq-server.service", "libvirt-guests.service", "iscsid.socket"}
    asked = {
        item.unit
        for item in planned(platform)
        if isinstance(item, Unit) and item.active and not item.unit.startswith(OWN_UNITS)
    }
    assert asked - own - taken == set()


def test_a_platform_whose_dnf_is_written_in_python_has_no_host_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [name for name in STAND_INS if disguise.may_lack_python(name)] == ["fedora-43"]
    monkeypatch.setattr(distribution, "answers", lambda name: False)
    with pytest.raises(LabRefused, match="no host of el-9 is without Python"):
        bases.provide(PLATFORMS["el-9"], False, places.silent)


def test_recipes_are_whole() -> None:
    names = [recipe.name for recipe in all_recipes()]
    assert len(names) == len(set(names))
    for recipe in all_recipes():
        assert recipe.repository in REPOSITORIES
        assert set(recipe.names) <= set(STAND_INS), recipe.name


@pytest.mark.parametrize("platform", STAND_INS)
def test_a_stand_in_says_that_it_is_its_platform(platform: str) -> None:
    told = Platform.from_os_release(read_yaml(disguise.TABLE)[platform]["os_release"])
    assert (told.name, told.is_relative) == (platform, False)
