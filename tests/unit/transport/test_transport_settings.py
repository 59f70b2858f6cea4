from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.errors import HostUnreachable
from installer.transport.login import Login
from installer.transport.settings import Hop, settings

CASES = yaml.safe_load(Path(__file__).with_name("settings.yaml").read_text())


def written(value: Any, home: Path) -> Any:
    if isinstance(value, (tuple, list)):
        return [written(item, home) for item in value]
    if isinstance(value, Hop):
        return [value.host, value.user, value.port]
    return str(value).replace(str(home), "~") if isinstance(value, Path) else value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_ssh_configuration_and_the_answer_file_make_the_settings(case: dict[str, Any], home: Path) -> None:
    config = home / ".ssh/config"
    config.write_text(case["config"])
    if "extra" in case:
        (home / ".ssh/extra").mkdir()
        (home / ".ssh/extra/one.conf").write_text(case["extra"])
    given = {
        key: tuple(map(Path, value)) if isinstance(value, list) else value
        for key, value in case.get("login", {}).items()
    }
    found = settings(case["address"], Login(ssh_config=(config,), **given))
    assert {key: written(getattr(found, key), home) for key in case["settings"]} == case["settings"]


def test_a_configuration_that_cannot_be_read_is_an_error_with_its_file(home: Path) -> None:
    config = home / ".ssh/config"
    config.write_text("Host *\n  Match gibberish\n")
    with pytest.raises(HostUnreachable) as refused:
        settings("node1", Login(ssh_config=(config,)))
    assert str(config) in refused.value.message
