"""What is said of a bundle that was written."""

from __future__ import annotations

from pathlib import Path

from installer.bundle.making import Made
from installer.bundle.manifest import Contents, Infrastructure, Manifest, Member
from installer.cli.bundling import NAMES_ONLY, summary
from installer.wheels.store import File


def test_what_is_in_it_and_what_is_not_is_said_and_what_a_host_told_commands_no_terminal() -> None:
    packages = ({"name": "a", "member": "packages/debian-13/a.deb"}, {"name": "b"})
    told = Infrastructure("debian-13", "Debian\x1b[31m 13", ("h",), packages, "b is not there\x07")
    environments = {"env": Contents("2026.2 for Python 3.13 on x86_64", (File("a.whl", "0" * 64),))}
    manifest = Manifest("1", "2026.2", "x86_64", environments, [told], {"uv": Member(1, "0" * 64)})
    assert [line for line, _ in summary(Made(Path("c.tar"), manifest, 3 << 20), "cloud.txt")] == [
        "  2026.2 for Python 3.13 on x86_64: 1 file",
        "  Debian 13: 2 packages with versions, 1 of them in the bundle",
        "    b is not there·",
        "c.tar is written: 1 file, 3 MiB (mode 0600)",
        "what to do next:  pystack install --answer-file cloud.txt --bundle c.tar",
    ]


def test_of_a_platform_whose_hosts_were_not_asked_packages_are_counted_by_name() -> None:
    named = Infrastructure("el-10", packages=({"name": "a"}, {"name": "b"}), lacks=NAMES_ONLY)
    unknown = Infrastructure("el-9", hosts=("h",), lacks="dnf does not answer")
    manifest = Manifest("1", "2026.2", "x86_64", {}, [named, unknown], {})
    told = [line for line, _ in summary(Made(Path("c.tar"), manifest, 1), "cloud.txt")]
    assert told[0] == "  el-10: 2 packages by name"
    assert "versions, and what else these packages need, are the mirror's" in told[1]
    assert told[2:4] == ["  el-9: no list of packages", "    dnf does not answer"]
