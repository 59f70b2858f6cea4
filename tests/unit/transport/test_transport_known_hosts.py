from __future__ import annotations

import base64
import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.transport import known_hosts

TABLE = yaml.safe_load(Path(__file__).with_name("known_hosts.yaml").read_text())
KEYS = {name: base64.b64decode(key) for name, key in TABLE["keys"].items()}
OFFERED = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")


def filled(text: str) -> str:
    return re.sub(r"\b([AB])\b(?=$|\s)", lambda found: TABLE["keys"][found[1]], text, flags=re.MULTILINE)


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["case"])
def test_known_hosts_files_say_of_a_key_what_openssh_says(case: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(filled(case["text"]))
    name = known_hosts.lookup_name(case["host"], case.get("port", 22))
    entries = known_hosts.about([tmp_path / "missing", file], [name])
    verdict, entry = known_hosts.judge(entries, KEYS[case["shows"]])
    assert verdict.value == case["verdict"]
    if "line" in case:
        assert entry is not None
        assert (entry.file, entry.line) == (file, case["line"])


@pytest.mark.parametrize(
    "case",
    [case for case in TABLE["cases"] if not case.get("ssh_keygen_takes_it")],
    ids=lambda case: case["case"],
)
def test_openssh_finds_the_same_hosts(case: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(filled(case["text"]))
    name = known_hosts.lookup_name(case["host"], case.get("port", 22))
    ran = subprocess.run(["ssh-keygen", "-F", name, "-f", file], capture_output=True, text=True)
    lines = [int(found) for found in re.findall(r"found: line (\d+)", ran.stdout)]
    assert [entry.line for entry in known_hosts.about([file], [name])] == lines


def test_a_fingerprint_reads_as_openssh_writes_it() -> None:
    assert known_hosts.fingerprint(KEYS["A"]) == TABLE["fingerprint_of_A"]


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(filled("one ssh-ed25519 A\n"))
    assert known_hosts.about([file], ["two"]) == []
    known_hosts.append(file, "two", "ssh-ed25519", KEYS["B"])
    assert [entry.line for entry in known_hosts.about([file], ["two"])] == [2]


def test_a_file_that_was_empty_within_the_same_tick_of_the_clock_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    for text, found in (("", 0), (filled("one ssh-ed25519 A\n"), 1)):
        file.write_text(text)
        os.utime(file, ns=(1, 1))
        assert len(known_hosts.about([file], ["one"])) == found


def test_a_key_is_added_on_a_line_of_its_own_in_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "known_hosts"
    known_hosts.append(file, "one", "ssh-ed25519", KEYS["A"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.write_text(file.read_text().rstrip("\n"))
    known_hosts.append(file, "two", "ssh-ed25519", KEYS["B"])
    assert file.read_text() == filled("one ssh-ed25519 A\ntwo ssh-ed25519 B\n")


@pytest.mark.parametrize(
    ("known", "first"),
    [
        ("ecdsa-sha2-nistp256", ["ecdsa-sha2-nistp256"]),
        ("ssh-rsa", ["rsa-sha2-512", "rsa-sha2-256"]),
        ("ssh-dss", ["ssh-ed25519"]),
    ],
)
def test_the_types_of_known_keys_are_asked_for_first(known: str, first: list[str]) -> None:
    entries = known_hosts.parse(filled(f"host {known} A"), Path("x"))
    found = known_hosts.key_types(entries, OFFERED)
    assert found[: len(first)] == first
    assert sorted(found) == sorted(OFFERED)
