"""What a host's package manager would install, without installing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.agent import package_list
from installer.agent.package_list import Asking, Repositories
from tests.unit.resources.fake_host import FakeHost

CASES = yaml.safe_load((Path(__file__).parent / "package_list.yaml").read_text())


def never() -> bool:
    return False


@pytest.mark.parametrize("case", CASES["apt"], ids=lambda case: str(len(case["packages"])))
def test_what_apt_would_install(case: dict[str, Any]) -> None:
    assert package_list.parse_apt(case["text"]) == case["packages"]


@pytest.mark.parametrize("case", CASES["dnf"], ids=lambda case: case["why"])
def test_what_dnf_would_install_and_leave_out(case: dict[str, Any]) -> None:
    assert package_list.parse_dnf(case["text"]) == (case["packages"], case.get("skipped", []))
    assert package_list.parse_size(case["text"]) == case["size"]


def asked(monkeypatch: pytest.MonkeyPatch, out: str, err: str) -> dict[str, Any]:
    """Return what is told of a host whose dnf says that."""
    monkeypatch.setattr(package_list.repository, "on_this_host", dict)
    monkeypatch.setattr(package_list, "package_manager", lambda host: "dnf")
    return package_list.would_install(["a"], Repositories(()), Asking(FakeHost({"dnf ": (1, out, err)}), {}, never))


def test_what_dnf_would_leave_out_is_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = {case["why"]: case for case in CASES["dnf"]}
    # As dnf 4.23 says it.
    problem = "\n Problem: conflicting requests\n  - nothing provides nosuchthing needed by skb-1-1.noarch from t\n"
    why = "conflicting requests; nothing provides nosuchthing needed by skb-1-1.noarch from t"
    for which, found in (("dnf 4.23 leaves out what lacks something", 1), ("dnf 4.23 leaves out all of them", 0)):
        told = asked(monkeypatch, cases[which]["text"], f"{problem}Operation aborted.\n")
        assert len(told["packages"]) == found
        assert told["problem"] == f"dnf would leave out skb-1-1.noarch: {why}"
    told = asked(monkeypatch, cases["dnf 4.23 leaves out all of them"]["text"], f"No match for argument: x\n{problem}")
    assert told["problem"] == f"no repository that is there has x; dnf would leave out skb-1-1.noarch: {why}"
    told = asked(monkeypatch, "", "Total size of inbound packages is 440 KiB. Need to download 440 KiB.\n")
    assert told["size"] == 440 << 10, "wherever it says so"


@pytest.mark.parametrize(
    ("manager", "answer", "problem"),
    [
        ("apt", (100, "", "E: Unable to locate package nosuch\n"), "E: Unable to locate package nosuch"),
        ("apt", (0, "", ""), ""),
        ("dnf", (1, "No match for argument: nosuch\n", ""), "no repository that is there has nosuch"),
        (
            "dnf",
            (1, "", "Error: Failed to download metadata for repo 'x'\n"),
            "cannot be read: repository x",
        ),
        (
            "dnf",
            (
                1,
                "",
                "Problem: conflicting requests\n  - nothing provides a needed by b\nYou can try:\n  --skip-broken\n",
            ),
            "conflicting requests; nothing provides a needed by b",
        ),
        ("dnf", (1, "", "dnf: something else\n"), "dnf: something else"),
        ("dnf", (0, "Nothing to do.\n", ""), ""),
    ],
)
def test_why_there_is_no_list(
    monkeypatch: pytest.MonkeyPatch, manager: str, answer: tuple[int, str, str], problem: str
) -> None:
    host = FakeHost({"apt-get -q ": "", "apt-get -qq ": answer, "dnf ": answer})
    monkeypatch.setattr(package_list.repository, "on_this_host", lambda: {"crb": False})
    monkeypatch.setattr(package_list, "package_manager", lambda host: manager)
    found = package_list.would_install(
        ["nosuch"], Repositories(["crb", "other"]), Asking(host, {"http_proxy": "http://192.0.2.1:3128"}, never)
    )
    assert (found["packages"], found["problem"]) == ([], problem)
    assert host.given[0]["stopped"] is never, "what takes long is ended when nobody waits for it"
    assert host.given[0]["env"]["http_proxy"] == "http://192.0.2.1:3128", "that is the one that goes out to the mirror"
    assert not any(
        " install nosuch" in line and "--print-uris" not in line and "--assumeno" not in line for line in host.ran
    )
    assert any("--enablerepo=crb install" in line for line in host.ran) is (manager == "dnf")
    assert not any("other" in line for line in host.ran)
