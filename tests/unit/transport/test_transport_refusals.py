from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.transport import refusals

TABLE = yaml.safe_load(Path(__file__).with_name("refusals.yaml").read_text())
ERRORS = {"gaierror": socket.gaierror(-2, "Name or service not known"), "TimeoutError": TimeoutError("timed out")}


@pytest.mark.parametrize("case", TABLE["network"], ids=lambda case: case["case"])
def test_a_failed_connection_is_told_in_the_operators_words(case: dict[str, Any]) -> None:
    name = case["error"]
    error = ERRORS.get(name) or OSError(getattr(errno, name), os.strerror(getattr(errno, name)))
    told = refusals.network("node1", refusals.at("node1.example", 22), error, 20.0)
    assert told.message == case["message"]
    assert case["remedy"] in told.remedy
    assert (told.host, told.exit_code) == ("node1", 4)


@pytest.mark.parametrize("case", TABLE["sudo"], ids=lambda case: case["case"])
def test_what_sudo_says_is_told_in_the_operators_words(case: dict[str, Any]) -> None:
    told = refusals.sudo("node1", "ops", case["said"], case.get("asked", False), case.get("given", False))
    assert told.message == case["message"]
    assert case["remedy"] in told.remedy
    assert (told.host, told.exit_code) == ("node1", 4)
