"""What roles and templates say differs between distributions only as the platforms' files do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from installer.paths import ROLES, TEMPLATES
from installer.platforms import entries, find
from tests.unit.roles.test_roles import SUPPORTED

#: What would tell a role which distribution it is on. Parts of names count: `debian_version`, `is_el9`.
DISTRIBUTIONS = re.compile(
    r"(?<![a-z])(debian|ubuntu|fedora|centos|red\W?hat|rhel|rocky|almalinux|(open)?suse|sles|oracle linux|amzn|el\d+"
    r"|enterprise linux|ID_LIKE|(os|lsb|system)[-_]release|dpkg|apt|apt-get|deb|rpm|dnf|yum|zypper"
    r"|(package|pkg)_manager)(?![a-z])",
    re.IGNORECASE,
)
#: Names that lead to a host's platform, itself and not its facts: the module, the field of a host, the type.
PLATFORM = {"platform", "platforms", "Platform"}


def questions(source: str) -> list[str]:
    """Return where a program asks for a distribution: names and texts of it, but for documentation."""
    tree = ast.parse(source)
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        f"line {getattr(node, 'lineno', 0)}: {word}"
        for node in ast.walk(tree)
        if id(node) not in documentation
        for word in words(node)
        if DISTRIBUTIONS.search(word) or PLATFORM & {part.strip("_") for part in word.split(".")}
    ]


def words(node: ast.AST) -> Iterator[str]:
    """Return the names and texts of one node of a program."""
    # Of identifiers, imported modules, attributes, arguments, functions and constants.
    for field in ("id", "module", "name", "asname", "attr", "arg", "value"):
        word = getattr(node, field, None)
        if isinstance(word, str):
            yield word


@pytest.mark.parametrize("path", sorted(ROLES.rglob("*.py")), ids=lambda path: str(path.relative_to(ROLES)))
def test_a_role_never_asks_which_distribution_it_is_on(path: Path) -> None:
    if path.parent.name == "locks":
        return
    assert questions(path.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "host.platform.name",
        "host._platform",
        "getattr(host, 'platform')",
        "from installer.platforms import find",
        "from installer import platforms",
        "from installer import platforms as facts",
        "import installer.platforms.tables",
        "import platform",
        "importlib.import_module('installer.platforms.platform')",
        "x = host.facts['os_release']",
        "x = host.os_release",
        "x = 'el9'",
        "x = f'/etc/debian_version'",
        "open('/etc/redhat-release')",
        "x = 'suse' in told",
        "def is_debian(host): ...",
        "if host.package_manager == x: ...",
        "run('dpkg --list')",
    ],
)
def test_a_role_that_did_would_be_found(line: str) -> None:
    assert questions(f'"""Debian may be named here."""\n{line}')


#: Units that a template names although not all platforms have them, each with the reason.
KNOWN_UNITS = {
    # Only an order, with the one of two iSCSI targets that is Ubuntu's: systemd passes over what is not there.
    "cinder/volume-group.service.j2": {"tgt.service"},
}
#: What pystack makes itself.
OWN_UNIT = re.compile(r"(openstack|pystack)-")
UNIT = re.compile(r"(?<![\w.@-])[\w@-]+\.(?:service|socket|timer|path|mount)\b(?!\.j2)")
#: Those with which hosts are installed, and policies, are a distribution's by their nature.
OF_A_DISTRIBUTION = {"kickstart", "selinux"}
OF_ALL = sorted(
    path for path in TEMPLATES.rglob("*.j2") if path.relative_to(TEMPLATES).parts[0] not in OF_A_DISTRIBUTION
)


def uncommented(template: str) -> str:
    """Return what a template says, without comments of its own and of the file that it makes."""
    return re.sub(r"(?m)^[ \t]*[#;].*$|\{#(?s:.*?)#\}", "", template)


def units_of_all() -> set[str]:
    """Return the units that the facts of every platform name."""
    return set.intersection(
        *({unit for facts in entries(find(name)).values() for unit in UNIT.findall(str(facts))} for name in SUPPORTED)
    )


@pytest.mark.parametrize("path", OF_ALL, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_names_no_distribution_and_only_units_that_all_platforms_have(path: Path) -> None:
    text = uncommented(path.read_text())
    assert [line for line in text.splitlines() if DISTRIBUTIONS.search(line)] == []
    units = {unit for unit in UNIT.findall(text) if not OWN_UNIT.match(unit)}
    assert units - units_of_all() == KNOWN_UNITS.get(str(path.relative_to(TEMPLATES)), set())


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("# Debian\n  ; Debian\nx = 1 {# Debian\n2 #}\n", "\n\nx = 1 \n"),
        ("x = '#debian'\n{% if debian %}\n", "x = '#debian'\n{% if debian %}\n"),
    ],
)
def test_comments_of_a_template_are_not_what_it_says(template: str, said: str) -> None:
    assert uncommented(template) == said
