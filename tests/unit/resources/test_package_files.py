"""A folder out of a package: there whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from installer.agent.host import Host
from installer.resources import package_files, unpacking
from installer.resources.base import CannotFix
from installer.resources.package_files import PackageFiles
from tests.unit.resources.fake_host import FakeHost


@pytest.fixture
def resource(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackageFiles:
    def unpack(packages: str, target: str, host: Any) -> None:
        os.makedirs(f"{target}/usr/share/pages")
        Path(target, "usr/share/pages/index.html").write_text("page")

    monkeypatch.setattr(package_files, "download", lambda packages, folder, host, proxies: None)
    monkeypatch.setattr(package_files, "unpack", unpack)
    return PackageFiles("pages", "/usr/share/pages", str(tmp_path / "new" / "pages"))


def test_the_folder_is_put_where_it_is_wanted_and_nothing_is_left_beside_it(resource: PackageFiles) -> None:
    assert PackageFiles.query([resource], Host()) == {resource.id: None}
    resource.fix(None, Host())
    assert PackageFiles.query([resource], Host()) == {resource.id: resource.expected()}
    assert os.listdir(resource.path) == ["index.html"]
    assert os.listdir(os.path.dirname(resource.path)) == ["pages"]


def test_a_package_without_that_folder_is_named(resource: PackageFiles) -> None:
    other = PackageFiles("pages", "/usr/share/other", resource.path)
    with pytest.raises(CannotFix, match="the package pages has no /usr/share/other"):
        other.fix(None, Host())
    assert os.listdir(os.path.dirname(resource.path)) == []


def test_a_file_in_the_way_is_not_replaced(resource: PackageFiles) -> None:
    os.makedirs(os.path.dirname(resource.path))
    Path(resource.path).write_text("mine")
    state = PackageFiles.query([resource], Host())[resource.id]
    with pytest.raises(CannotFix, match="is not a directory"):
        resource.fix(state, Host())
    assert Path(resource.path).read_text() == "mine"


def test_dnf_is_told_the_folder_where_both_its_versions_take_it() -> None:
    host = FakeHost({"dnf": ""})
    host.remember("package manager", lambda: "dnf")
    unpacking.download(["novnc"], "/folder", host)
    # Seen with dnf 5.4: before the word it is refused, "it has to be placed after the command".
    assert host.ran == ["dnf --assumeyes --quiet download --destdir=/folder novnc"]
