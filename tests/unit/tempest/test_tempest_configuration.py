"""tempest.conf says what the live cloud says of itself, and keeps its secret from people."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.errors import AnswerFileError
from installer.resources.secret import MASK, Secret
from installer.tempest.configuration import Site, configuration, without_secrets
from installer.tempest.facts import Backend, Facts, Flavor, Image, OutsideNetwork, Subnet

CASES = yaml.safe_load(Path(__file__).with_name("configurations.yaml").read_text())


def facts_of(told: dict[str, Any]) -> Facts:
    outside = told.get("outside")
    return Facts(
        services=frozenset(told.get("services", ["identity"])),
        image=Image(**told["image"]) if "image" in told else None,
        flavors=tuple(Flavor(**one) for one in told.get("flavors", ())),
        outside=OutsideNetwork(outside["id"], outside["name"], tuple(Subnet(**one) for one in outside["subnets"]))
        if outside
        else None,
        network_extensions=tuple(told.get("network_extensions", ())),
        compute_hosts=told.get("compute_hosts", 0),
        backends=tuple(Backend(**one) for one in told.get("backends", ())),
        backup=told.get("backup", False),
        disk_formats=tuple(told.get("disk_formats", ())),
        versions=told.get("versions", {}),
    )


def site(password: str = "$(of) it's") -> Site:
    return Site(
        identity_url="https://cloud.example.org:5000/v3",
        region="RegionOne",
        admin="admin",
        password=Secret(password),
        authority=Path("/tmp/ca.crt"),
        dashboard_url="https://cloud.example.org/dashboard/",
        ssh_user="cirros",
        type_drivers=("geneve", "flat"),
        backup_driver="posix",
        folder=Path("/tmp/run"),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["cloud"])
def test_the_configuration_says_what_the_cloud_says(case: dict[str, Any]) -> None:
    parser = configparser.RawConfigParser()
    parser.read_string(configuration(facts_of(case["facts"]), site()).content)
    for section, wanted in case["has"].items():
        for key, value in wanted.items():
            assert parser.get(section, key, fallback=None) == value, f"[{section}] {key}"


def test_what_people_read_has_no_password() -> None:
    made = configuration(Facts(), site("of-the-admin"))
    assert "of-the-admin" in made.content
    assert without_secrets(made) == made.content.replace("of-the-admin", MASK)


def test_a_password_that_the_file_cannot_hold_is_refused_without_telling_it() -> None:
    with pytest.raises(AnswerFileError) as refused:
        configuration(Facts(), site("two\nlines"))
    assert "admin_password" in refused.value.message
    assert "two" not in refused.value.message
