"""SELinux as hosts with a kernel of their own have it: preflight says what it is and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from installer import answers, lab
from installer.lab import LabHost
from tests.lab.command_line import Operator
from tests.lab.identity_only import IDENTITY_ONLY

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1200)]

NAME = "t-selinux"


@pytest.fixture(params=["disabled", "permissive", "enforcing"])
def host(request: pytest.FixtureRequest) -> Iterator[LabHost]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name == NAME])
    (made,) = lab.up([NAME], kernel="own", selinux=request.param)
    yield made
    lab.down([NAME])


def findings(host: LabHost, home: Path, **values: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Return the exit code of preflight, and what it found of SELinux, by title."""
    wanted = {
        **lab.answers([host]),
        **IDENTITY_ONLY,
        "CONFIG_SSH_KEY": str(host.private_key),
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
        **values,
    }
    file = home / f"{len(list(home.glob('*.txt')))}.txt"
    answers.write(file, answers.generate((), wanted))
    done = Operator(home).run("preflight", f"--answer-file={file}", "--json")
    found = [event for event in done.events if event["event"] == "finding"]
    return done.code, {event["title"]: event for event in found if event["title"].startswith("SELinux")}


def test_the_state_is_told_and_kept_unless_another_one_is_wanted(host: LabHost, tmp_path: Path) -> None:
    state = host.run("getenforce", check=True).stdout.strip().lower()
    code, found = findings(host, tmp_path)
    assert (code, found["SELinux"]["outcome"]) == (0, "success")
    assert found["SELinux"]["found"].startswith(state)
    code, found = findings(host, tmp_path, CONFIG_SELINUX="require-enforcing")
    assert (code == 0) is (state == "enforcing"), found
    code, found = findings(host, tmp_path, CONFIG_SELINUX="permissive")
    assert (code == 0) is (state == "permissive"), found
    assert host.run("getenforce", check=True).stdout.strip().lower() == state


def test_a_folder_with_a_wrong_label_is_named_where_selinux_is_on(host: LabHost, tmp_path: Path) -> None:
    state = host.run("getenforce", check=True).stdout.strip().lower()
    if state == "disabled":
        assert "SELinux labels" not in findings(host, tmp_path)[1]
        return
    assert findings(host, tmp_path)[1]["SELinux labels"]["outcome"] == "success"
    host.run("chcon -t tmp_t /opt", check=True)
    code, found = findings(host, tmp_path)
    assert (code, found["SELinux labels"]["outcome"]) == ((3, "fail") if state == "enforcing" else (0, "warn"))
    assert "/opt" in found["SELinux labels"]["found"]
