"""The platforms' files: what they take over, where facts are from, and what was seen."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest

from installer.errors import InternalError
from installer.paths import ROLES, read_yaml
from installer.platforms import MissingFact, Platform, facts, find, supported, tables
from installer.platforms.platform import entries
from installer.platforms.tables import FOLDER

#: What says how platforms are described.
DOCUMENT = ROLES.parent / "docs" / "how-a-role-is-written.md"
FILES = {name: read_yaml(FOLDER / f"{name}.yaml") for name in tables.names()}
EVERY_FACT = [
    (platform, section, name, fact)
    for platform in supported()
    for section, found in entries(platform).items()
    for name, fact in found.items()
]


def test_a_file_says_what_differs_from_the_one_it_is_like() -> None:
    assert facts(find("debian-12"), "openstack")["python"] == "/usr/bin/python3.11"
    assert facts(find("debian-12"), "mariadb") == facts(find("debian-13"), "mariadb")
    assert facts(find("el-9"), "base")["sources"] == ["centos-release-nfv-openvswitch", "centos-release-rabbitmq-4"]
    assert facts(find("el-9"), "base")["policy_tools"] == facts(find("el-10"), "base")["policy_tools"]


def test_what_a_file_gives_no_value_is_taken_away() -> None:
    under = {"libvirt": {"modules": ("/usr", "lab"), "rbd": ("x", "lab")}}
    over = {"libvirt": {"modules": (None, "lab"), "built": ("y", "lab")}}
    assert tables._merged(under, over) == {"libvirt": {"rbd": ("x", "lab"), "built": ("y", "lab")}}


def test_a_release_says_what_differs_from_the_others() -> None:
    modules = {name: facts(find(name), "ceph")["modules"] for name in ("fedora-43", "fedora-44", "fedora-45")}
    assert modules["fedora-43"] == modules["fedora-44"] == "/usr/lib64/python3.14/site-packages"
    assert modules["fedora-45"] == "/usr/lib64/python3.15/site-packages"


def test_a_role_without_a_section_has_no_facts_and_neither_has_a_host_that_is_of_no_platform() -> None:
    assert not facts(find("el-9"), "test_image")
    assert not facts(Platform.unknown(), "mariadb")


def test_a_fact_that_is_not_there_is_named_with_its_role_and_platform() -> None:
    with pytest.raises(MissingFact, match="the platform el-9 has no fact 'colour' for the role mariadb"):
        facts(find("el-9"), "mariadb")["colour"]
    assert facts(find("el-9"), "mariadb").get("colour", "none") == "none"
    assert facts(find("el-9"), "mariadb").get("package") == "mariadb-server"


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_keys_that_are_read_and_no_others(name: str) -> None:
    wanted = {"title", "ids", "releases", "package_manager", "from", "seen", "roles"}
    assert wanted <= set(FILES[name]) <= wanted | {"like", "taken_over"}
    assert "like" in FILES[name] or "taken_over" not in FILES[name]
    assert FILES[name]["package_manager"] in ("apt", "dnf")
    assert FILES[name]["from"] in tables.sources()
    assert FILES[name].get("like") in (None, *FILES)


@pytest.mark.parametrize("name", FILES)
def test_sections_are_folders_of_roles(name: str) -> None:
    parts = [FILES[name]["roles"], *FILES[name]["releases"].values()]
    assert {section for part in parts for section in part} - {tables.SEEN} <= {path.name for path in ROLES.iterdir()}


@pytest.mark.parametrize("name", FILES)
def test_whatever_is_said_differently_differs(name: str) -> None:
    if "like" not in FILES[name]:
        return
    other = tables.table(FILES[name]["like"])
    (known,) = other.releases.values()
    for section, told in FILES[name]["roles"].items():
        for fact, value in told.items():
            if fact != "from":
                assert section not in known or fact not in known[section] or known[section][fact].value != value


def test_every_fact_is_from_a_document_that_is_described_and_every_document_is_used() -> None:
    identities = {tables.table(name).source for name in FILES}
    assert {fact.source for _, _, _, fact in EVERY_FACT} | identities == set(tables.sources())
    for key, source in tables.sources().items():
        assert set(source) == {"document", "version", "date"}, key
        assert isinstance(source["date"], datetime.date), key


@pytest.mark.parametrize("name", FILES)
def test_where_facts_are_from_is_said_only_of_facts_that_there_are(name: str) -> None:
    parts = [FILES[name]["roles"], *FILES[name]["releases"].values()]
    for section, told in (item for part in parts for item in part.items() if item[0] != tables.SEEN):
        said = told["from"] if isinstance(told["from"], dict) else {}
        for found in tables.table(name).releases.values():
            assert set(said) - {tables.ALL} <= set(found[section]) | set(told), section


def test_a_fact_that_is_taken_over_keeps_its_source_unless_the_file_names_another() -> None:
    told = {"libvirt": {"rbd": ("a", "lab"), "units": ("b", "lab")}, "tls": {"suffix": ("c", tables.UNSOURCED)}}
    own: dict[str, Any] = {"roles": {"libvirt": {"from": {"rbd": "devstack"}}}}
    sources = {section: {fact: entry[1] for fact, entry in facts.items()} for section, facts in told.items()}
    sources["libvirt"]["rbd"] = "devstack"
    assert taken_over(told, own) == sources
    sources["libvirt"]["units"] = "as-el"
    assert taken_over(told, own | {"taken_over": "as-el"}) == sources
    sources["tls"]["suffix"] = "devstack"
    own["roles"]["tls"] = {"from": {"suffix": "devstack"}}
    assert taken_over(told, own | {"taken_over": "as-el"}) == sources


def taken_over(told: Any, own: Any) -> Any:
    facts = tables._taken_over(told, own)
    return {section: {fact: entry[1] for fact, entry in entries.items()} for section, entries in facts.items()}


def test_what_is_known_from_no_document_is_listed_in_the_documentation() -> None:
    unsourced: dict[str, list[str]] = {}
    for platform, section, name, fact in EVERY_FACT:
        if fact.source == tables.UNSOURCED:
            unsourced.setdefault(f"{section}.{name}", []).append(platform.name)
    listed = re.findall(r"(?m)^- `(\w+\.\w+)` \((.*)\): ", DOCUMENT.read_text())
    assert {key: platforms.split(", ") for key, platforms in listed} == unsourced


def test_a_fact_that_does_not_say_where_it_is_from_is_refused_with_its_place() -> None:
    with pytest.raises(InternalError, match=r"el9\.yaml, mariadb: nothing says where unit is from"):
        tables._facts("el9.yaml, mariadb", {"from": {"package": "lab"}, "package": "a", "unit": "b"})


def test_every_fact_says_whether_it_was_seen() -> None:
    assert {fact.seen for _, _, _, fact in EVERY_FACT} <= {tables.REAL, tables.STAND_IN, tables.NO}


@pytest.mark.parametrize("name", FILES)
def test_what_is_said_to_be_seen_is_there(name: str) -> None:
    for release, found in tables.table(name).releases.items():
        seen = FILES[name]["releases"][release].get(tables.SEEN, FILES[name][tables.SEEN])
        for key in seen if isinstance(seen, dict) else ():
            section, _, fact = key.partition(".")
            assert key == tables.ALL or (section in found and (not fact or fact in found[section])), key


def test_a_release_says_itself_what_was_seen_where_the_others_differ() -> None:
    seen = {name: facts(find(name), "mariadb").entry("unit").seen for name in ("fedora-43", "fedora-44", "fedora-45")}
    assert seen == {"fedora-43": tables.STAND_IN, "fedora-44": tables.NO, "fedora-45": tables.NO}


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (False, "no"),
        ("real", "real"),
        ({"all": "real", "mariadb": "stand-in"}, "stand-in"),
        ({"all": "real", "mariadb": "stand-in", "mariadb.unit": False}, "no"),
        ({"mariadb": "stand-in", "ovn": "real"}, "stand-in"),
        ({"ovn": "real"}, "no"),
    ],
)
def test_what_was_seen_is_told_for_all_for_a_section_or_for_one_fact(told: Any, seen: str) -> None:
    assert tables.seen_of(told, "mariadb", "unit") == seen
