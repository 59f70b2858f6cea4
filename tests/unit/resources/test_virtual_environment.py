from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.agent.host import Completed
from installer.resources.base import from_wire, to_wire
from installer.resources.python_index import configuration, environment_proxies, pip_settings
from installer.resources.secret import Secret
from installer.resources.uv import distributions, explain_failure
from installer.resources.virtual_environment import VirtualEnvironment, changed_nothing, state_of

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "virtual_environment.yaml").read_text())


def title(case: dict[str, Any]) -> str:
    return str(case.get("title") or case.get("why"))


def environment(**other: Any) -> VirtualEnvironment:
    values = {"lock": "a" * 64, "build_constraints": "b" * 64, "uv": "c" * 64, "version": "3.13", **other}
    return VirtualEnvironment("/opt/x", "/usr/bin/python3.13", **values)


@pytest.mark.parametrize("case", CASES["failure"], ids=title)
def test_why_uv_failed_in_one_line(case: dict[str, Any]) -> None:
    done = Completed(("uv",), case.get("code", 2), "", case["error"])
    assert explain_failure(done) == case["why"]
    assert changed_nothing(done) is case.get("changed_nothing", True)


@pytest.mark.parametrize("case", CASES["state"], ids=title)
def test_the_state_of_an_environment(case: dict[str, Any]) -> None:
    assert state_of(case["stamp"], Completed(("python",), case["code"], case["out"], "")) == case["state"]


@pytest.mark.parametrize("case", CASES["pip"], ids=title)
def test_what_pip_is_told(case: dict[str, Any]) -> None:
    assert pip_settings(case["texts"]) == case["settings"]


@pytest.mark.parametrize("case", CASES["configuration"], ids=title)
def test_what_uv_is_told(case: dict[str, Any]) -> None:
    index = Secret(case["index"]) if case["index"] else None
    proxies = {name: Secret(value) for name, value in case["proxies"].items()}
    assert tomllib.loads(configuration(index, proxies, case["pip"])) == case["toml"]


@pytest.mark.parametrize("case", CASES["proxies"], ids=lambda case: "environment")
def test_the_proxies_of_the_host(case: dict[str, Any]) -> None:
    assert environment_proxies(case["text"]) == case["proxies"]


def test_another_lock_or_other_build_constraints_are_another_environment_and_another_uv_is_not() -> None:
    assert environment().expected() != environment(lock="d" * 64).expected()
    assert environment().expected() != environment(build_constraints="d" * 64).expected()
    assert environment().expected() == environment(uv="d" * 64).expected()


def test_distributions_of_a_lock_are_counted() -> None:
    assert (
        distributions(b"# made\n--only-binary=:all:\na==1 \\\n    --hash=sha256:0\nB.c-d==2 ; python_version < '3'\n")
        == 2
    )


def test_an_environment_crosses_the_wire() -> None:
    whole = environment(index=Secret("https://u:p@h/simple"), proxies=(("http_proxy", Secret("http://p")),))
    assert from_wire(to_wire(whole)) == whole
