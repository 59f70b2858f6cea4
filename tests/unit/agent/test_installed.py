"""What is installed, as package managers tell it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from installer.agent import installed, package_state
from installer.resources.package_manager import APT, DNF
from tests.unit.resources.fake_host import FakeHost

ARCHITECTURES = "rpm -qa --qf"


def host_of(manager: str, answers: dict[str, Any] | None = None) -> FakeHost:
    host = FakeHost(answers)
    host.remember("package manager", lambda: manager)
    return host


def test_packages_have_their_state_and_only_what_is_installed_has_a_name_in_rpm() -> None:
    assert installed.packages(host_of(APT, {"dpkg-query": "ii bash\nrc gone\n"})) == ["ii bash", "rc gone"]
    assert installed.packages(host_of(DNF, {"rpm": "ii bash\tx86_64\n"})) == ["ii bash"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("ii bash\n", ""),
        (
            (1, "", "error: sqlite failure\nerror: cannot open Packages database\n"),
            "error: sqlite failure error: cannot open Packages database",
        ),
        (
            (2, "", "a warning\ndpkg-query: error: parsing file '/x' near\n line 5:\n no colon\nand more\n"),
            "dpkg-query: error: parsing file '/x' near line 5: no colon",
        ),
        ((127, "", "[Errno 2] No such file or directory: 'rpm'"), "rpm cannot be started"),
        ((1, "", ""), "rpm ended with code 1"),
    ],
)
def test_records_that_cannot_be_read_are_told_of_in_the_package_managers_words(answer: Any, problem: str) -> None:
    assert installed.problem(host_of(DNF, {"rpm": answer})) == problem


def test_of_packages_that_are_there_twice_those_are_left_out_that_may_be() -> None:
    listed = ["gpg-pubkey (none)"] * 2 + ["bash x86_64", "glibc x86_64", "glibc i686"] + ["lost noarch"] * 2
    listed += ["kernel-core x86_64"] * 2 + ["kmod-x x86_64"] * 2
    provided = "kernel-core.x86_64 installonlypkg(kernel)\nkmod-x.x86_64 installonlypkg(kernel-module)\n"
    lines = "".join(f"ii {line}\n".replace(" ", "\t").replace("\t", " ", 1) for line in listed)
    host = host_of(DNF, {ARCHITECTURES: lines, "rpm -q --qf": f"{provided}lost.noarch lost\nlost.noarch lost\n"})
    assert installed.twice(host) == ["lost.noarch"]
    assert host.ran[-1].endswith("kernel-core.x86_64 kmod-x.x86_64 lost.noarch")
    assert installed.twice(host_of(DNF, {"rpm": "ii bash\tx86_64\n"})) == []
    assert installed.twice(host_of(APT)) == []


def test_whom_dnf_has_noted_as_at_work_is_told_of_with_the_file_while_it_runs(tmp_path: Path) -> None:
    file = str(tmp_path / "rpmdb_lock.pid")
    assert package_state.holder([], [file]) is None
    Path(file).write_text("1\n")
    found = package_state.holder([], [file])
    assert found is not None
    assert (found["pid"], found["file"]) == (1, file)
    for gone in ("", "99999999", "../1"):
        Path(file).write_text(gone)
        assert package_state.holder([], [file]) is None
