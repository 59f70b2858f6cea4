"""What goes into a bundle, and whether it is what hosts need."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from installer.answers import generate, load_text
from installer.bundle import making, needs, packages
from installer.bundle.manifest import BundleRefused, Contents, Infrastructure, Manifest
from installer.bundle.opening import opened
from installer.cloud import Cloud
from installer.errors import UsageError
from installer.plan import Step
from installer.platforms import supported
from installer.resources.package import Package
from installer.resources.repository import Repository
from installer.roles import all_roles
from installer.tls import Certificates
from installer.wheels.downloads import Downloads
from installer.wheels.environment import Environment
from installer.wheels.store import File, Store
from installer.wheels.target import Target
from tests.package_index import PackageIndex, lock, sha256, wheel

SUPPORTED = [platform.name for platform in supported()]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_", "XDG_")) or "proxy" in name.lower()]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def cloud(*platforms: str, **overrides: str) -> Cloud:
    answers = load_text(generate(("192.0.2.1",), overrides), "answers.txt")
    hosts = tuple(making.hosts_of(platforms))
    return Cloud(answers, hosts, Certificates("", {}))


def test_every_platform_needs_the_locks_for_its_own_python() -> None:
    for wanted, extra in (("n", []), ("y", ["2026.2-heat"])):
        made = cloud("el-10", "debian-13", "debian-12", CONFIG_HEAT_INSTALL=wanted)
        found = {
            host.platform.name: sorted(
                (item.lock.stem, item.target.python) for item in needs.environments(made, all_roles(), host, "x86_64")
            )
            for host in made.hosts
        }
        assert found == {
            name: [(lock, python) for lock in ["2026.2", *extra]]
            for name, python in (("el-10", "3.12"), ("debian-13", "3.13"), ("debian-12", "3.11"))
        }


@pytest.mark.parametrize(("nova", "locks"), [("y", ["2026.2", "libvirt-python"]), ("n", ["2026.2"])])
def test_what_a_host_builds_itself_is_needed_too(nova: str, locks: list[str]) -> None:
    made = cloud("el-9", CONFIG_NOVA_INSTALL=nova)
    wanted = needs.environments(made, all_roles(), made.hosts[0], "x86_64")
    assert sorted(item.lock.stem for item in wanted) == locks
    assert all("setuptools" in {pin.name for pin in item.pins()} for item in wanted)


def test_packages_are_asked_of_what_is_enabled_for_them_on_rhel_too() -> None:
    enabled = Repository("crb", "codeready-builder-for-rhel-10-x86_64-rpms")
    resources = (enabled, Repository("nfv"), Package("a", brings_repositories=True), Package("b", absent=True))
    first = Step("192.0.2.1", "base", resources, frozenset())
    asked = needs.packages([first, Step("192.0.2.1", "packages", (Package("c"), Package("c")), frozenset())])
    assert asked == needs.Packages(("a", "c"), ("a",), ("crb", "codeready-builder-for-rhel-10-x86_64-rpms", "nfv"))


@pytest.mark.parametrize("platform", SUPPORTED)
def test_of_a_platform_that_no_host_was_looked_at_of_the_plan_knows_the_packages_by_name(platform: str) -> None:
    made = cloud(platform, CONFIG_HEAT_INSTALL="y")
    found = needs.packages_of(made.answers, all_roles(), made.hosts[0])
    assert {"haproxy", "rabbitmq-server", "mariadb-server"} <= set(found.names)
    assert set(found.sources) <= set(found.names)
    assert ("policycoreutils-python-utils" in found.names) == (made.hosts[0].platform.package_manager == "dnf")
    without = cloud(platform, CONFIG_NOVA_INSTALL="n", CONFIG_NEUTRON_INSTALL="n", CONFIG_CINDER_INSTALL="n")
    fewer = needs.packages_of(without.answers, all_roles(), without.hosts[0])
    assert len(fewer.names) < len(found.names)


def test_packages_that_are_known_by_name_only_go_into_the_manifest_as_they_are(tmp_path: Path) -> None:
    named = Infrastructure("el-10", packages=({"name": "haproxy"},), lacks="versions are the mirror's")
    making.make(tmp_path / "b.tar", "2026.2", [], [named], "", print)
    assert opened(str(tmp_path / "b.tar")).manifest.platforms == [named]


def test_a_platform_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError) as refused:
        making.hosts_of(["el-10", "plan9", "el"])
    assert refused.value.message == "pystack does not install on 'plan9'\nwhich release of el?"
    assert refused.value.remedy.startswith("choose one of debian-12, debian-13, ")
    assert refused.value.remedy.endswith("\nchoose el-9 or el-10")


def test_a_bundle_is_made_without_hosts_opened_and_made_again_without_the_index(tmp_path: Path) -> None:
    with PackageIndex() as index:
        (tmp_path / "x.txt").write_text(lock(("a==1", index.add(wheel("a", "1", "cp312-abi3-manylinux_2_17_x86_64")))))
        (tmp_path / "build.txt").write_text("")
        wanted = [Environment("env", tmp_path / "x.txt", tmp_path / "build.txt", Target("3.12", "x86_64"))]
        path = tmp_path / "b.tar"
        made = making.make(path, "2026.2", wanted, [Infrastructure("el-10")], index.url, print)
    assert set(made.manifest.members) == {"uv", "wheels/a-1-cp312-abi3-manylinux_2_17_x86_64.whl"}
    assert opened(str(path)).manifest == made.manifest
    for file in (tmp_path / ".cache/pystack/wheels").iterdir():
        file.unlink()
    again = making.make(path, "2026.2", wanted, [Infrastructure("el-10")], index.url, print)
    assert again.manifest == made.manifest, "the index is gone, and what the bundle has is used again"


def test_an_output_whose_folder_is_not_there_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(making.BundleNotWritten, match="there is no folder"):
        making.make(tmp_path / "no/b.tar", "2026.2", [], [], "", print)


@pytest.mark.parametrize(
    ("known", "release", "outcome", "found", "why"),
    [
        ({"env": "2026.2 for Python 3.12 on x86_64"}, "2026.2", "success", "has all that the host needs", ""),
        (
            {"other": "2026.2 for Python 3.13 on x86_64"},
            "2026.2",
            "fail",
            "does not have 2026.2 for Python 3.12 on x86_64",
            "it has 2026.2 for Python 3.13 on x86_64",
        ),
        (
            {"other": "2026.2 for Python 3.12 on x86_64"},
            "2026.2",
            "fail",
            "does not have 2026.2 for Python 3.12 on x86_64",
            "it was made by pystack 1 from other locks than this pystack has, or was changed",
        ),
        (
            {"other": "2026.1 for Python 3.12 on x86_64"},
            "2026.1",
            "fail",
            "does not have 2026.2 for Python 3.12 on x86_64",
            "it is of OpenStack 2026.1, and the answer file asks for 2026.2",
        ),
    ],
)
def test_a_host_is_told_what_a_bundle_does_not_have_for_it(
    tmp_path: Path, known: dict[str, str], release: str, outcome: str, found: str, why: str
) -> None:
    files = (File("a-1-py3-none-any.whl", "0" * 64),)
    environments = {name: Contents(title, files) for name, title in known.items()}
    manifest = Manifest("1", release, "x86_64", environments, [], {})
    (tmp_path / "2026.2.txt").write_text(lock(("a==1", "0" * 64)))
    wanted = Environment("env", tmp_path / "2026.2.txt", tmp_path / "b.txt", Target("3.12", "x86_64"))
    (finding,) = needs.check(manifest, {"192.0.2.1": [wanted]}, "2026.2")
    assert (finding.outcome, finding.why, finding.host) == (outcome, why, "192.0.2.1")
    assert finding.found.startswith(found)


def told(index: PackageIndex, name: str, data: bytes) -> dict[str, str]:
    index.files[f"{name}_1_all.deb"] = data
    url = index.url.replace("/simple", f"/files/{name}_1_all.deb")
    return {"name": name, "version": "1", "architecture": "all", "url": url, "sha256": sha256(data)}


def test_why_there_is_no_list_is_told_without_logins() -> None:
    told = "Failed to fetch http://somebody:hidden@mirror.example/debian/InRelease"
    merged = packages.merged("x", "", {"a": {"packages": [], "problem": told}})
    assert merged.lacks.endswith("a: Failed to fetch http://mirror.example/debian/InRelease")


def test_packages_that_a_mirror_has_come_along_and_their_addresses_do_not(tmp_path: Path) -> None:
    with PackageIndex() as index:
        item = told(index, "p", b"package")
        answer = {"packages": [item], "problem": ""}
        platform = packages.merged("debian-13", "Debian", {"a": answer, "b": answer})
        downloads, store = Downloads(), Store(tmp_path / "store")
        got = packages.fetched(platform, downloads, {}, store, print)
        downloads.close()
    (package,) = got.packages
    assert packages.files_of(got) == {"packages/debian-13/p_1_all.deb": sha256(b"package")}
    assert (got.lacks, got.hosts, "url" in package) == ("", ("a", "b"), False)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("(http://a:hid@den@mirror.example/x) http://b:hidden@c/", "(http://mirror.example/x) http://c/"),
        ("http://mirror.example/x@y someone@mirror", "http://mirror.example/x@y someone@mirror"),
        ("http://mirror.example/x?token=hidden (gone)", "http://mirror.example/x (gone)"),
    ],
)
def test_what_may_be_secret_in_addresses_is_not_told_whatever_it_is_made_of(told: str, shown: str) -> None:
    merged = packages.merged("x", "", {"a": {"packages": [], "problem": told}})
    assert merged.lacks.endswith(f"a: {shown}")


@pytest.mark.parametrize("path", ["", "..", "pool/..", "pool/%2e%2e", "pool/p_1_all.deb/", "pool/p.rpm"])
def test_an_address_that_is_of_no_package_leads_to_no_member(tmp_path: Path, path: str) -> None:
    with PackageIndex() as index:
        item = told(index, "p", b"package")
        store = Store(tmp_path / "store")
        store.add([b"package"], {item["sha256"]})
        item["url"] = f"http://somebody:hidden@mirror.example/{path}"
        platform = packages.merged("x", "", {"a": {"packages": [item], "problem": ""}})
        downloads = Downloads()
        got = packages.fetched(platform, downloads, {}, store, print)
        downloads.close()
    assert packages.files_of(got) == {}
    assert got.lacks.endswith(f"http://mirror.example/{path} is no address of a package")


@pytest.mark.parametrize("trouble", ["other content", "gone"])
def test_the_login_of_a_package_source_is_not_told(tmp_path: Path, trouble: str) -> None:
    with PackageIndex() as index:
        item = told(index, "p", b"package")
        item["url"] = item["url"].replace("//", "//somebody:hidden@")
        if trouble == "gone":
            index.files.clear()
        else:
            index.files["p_1_all.deb"] = b"something else"
        platform = packages.merged("x", "", {"a": {"packages": [item], "problem": ""}})
        downloads = Downloads()
        got = packages.fetched(platform, downloads, {}, Store(tmp_path / "store"), print)
        downloads.close()
    assert "/files/p_1_all.deb" in got.lacks
    assert "hidden" not in str(got)


@pytest.mark.parametrize("trouble", ["other content", "gone", "no address"])
def test_packages_that_cannot_be_had_stay_a_list_with_the_reason(tmp_path: Path, trouble: str) -> None:
    with PackageIndex() as index:
        item = told(index, "p", b"package")
        if trouble == "other content":
            index.files["p_1_all.deb"] = b"something else"
        elif trouble == "gone":
            index.files.clear()
        else:
            del item["url"], item["sha256"]
        platform = packages.merged("x", "", {"a": {"packages": [item], "problem": "it is old"}})
        downloads = Downloads()
        got = packages.fetched(platform, downloads, {}, Store(tmp_path / "store"), print)
        downloads.close()
    assert packages.files_of(got) == {}
    assert got.packages == ({"name": "p", "version": "1", "architecture": "all"},)
    assert got.lacks.startswith(
        "the list of packages is not whole: a: it is old; the packages themselves are not in it: "
    )


def test_a_bundle_that_cannot_be_used_does_not_stop_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "b.tar"
    made = making.make(path, "2026.2", [], [], "http://127.0.0.1:9/simple", print)
    path.write_bytes(path.read_bytes()[:4096].replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(BundleRefused, match="format 2"):
        opened(str(path))
    again = making.make(path, "2026.2", [], [], "http://127.0.0.1:9/simple", print)
    assert dataclasses.asdict(opened(str(path)).manifest) == dataclasses.asdict(made.manifest)
    assert again.manifest == made.manifest


@pytest.mark.parametrize("content", [b"CONFIG_DEBUG_MODE=n\n", b"", None], ids=["a file", "an empty one", "a folder"])
def test_something_else_than_a_bundle_is_never_replaced(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "answers.txt"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(making.BundleNotWritten, match="is there already, and is no bundle") as refused:
        making.make(path, "2026.2", [], [], "http://127.0.0.1:9/simple", print)
    assert refused.value.exit_code == 2
    assert path.is_dir() if content is None else path.read_bytes() == content
