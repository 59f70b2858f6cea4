"""Nova's cells and the compute hosts in them, as rows of its database tell."""

from __future__ import annotations

from typing import Any

import pytest

from installer.resources import nova_cells
from installer.resources.base import CannotFix, FixFailed, Unknown, from_wire, to_wire
from installer.resources.nova_cells import Cell, CellMember
from tests.unit.resources.fake_host import FakeHost

QUEUE, DATABASE = "{scheme}://{username}@{hostname}/", "{scheme}://{username}@{hostname}/{path}"
CELL = Cell("cell1", QUEUE, DATABASE, ("python", "-"), "nova", program="make()")
MEMBER = CellMember("c1", ("nova-manage", "discover"), "nova", limit=0.2)
HEAD = "kind\tname\ttransport_url\tdatabase_connection\n"
HOSTS = "kind\thost\n"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nova_cells, "PAUSE", 0.01)


def cell(answer: Any) -> Any:
    return Cell.query([CELL], FakeHost({"mariadb": answer}))[CELL.id]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (HEAD + f"cell\tcell0\tnone:///\tx\ncell\tcell1\t{QUEUE}\t{DATABASE}\n", {"addresses": "as nova.conf says"}),
        (HEAD + f"cell\tcell1\trabbit://u:secret@h/\t{DATABASE}\n", {"addresses": "of their own"}),
        (HEAD + "cell\tcell0\tnone:///\tx\n", None),
        ("", None),
        ((1, "", "ERROR 1146 (42S02) at line 3: Table 'nova_api.cell_mappings' doesn't exist"), None),
        ((1, "", "ERROR 1044 (42000): Access denied for user 'nova' to database 'nova_api'"), None),
    ],
    ids=["as it must be", "by hand", "another one", "none", "no table", "no database"],
)
def test_a_cell_is_known_by_its_name_and_its_addresses(answer: Any, state: Any) -> None:
    assert cell(answer) == state


def test_without_a_server_no_cell_is_known() -> None:
    assert isinstance(cell((1, "", "ERROR 2002 (HY000): Can't connect through socket")), Unknown)


def test_addresses_that_somebody_gave_a_cell_are_not_shown() -> None:
    lines = CELL.explain({"addresses": "of their own"}, FakeHost())
    assert lines == ["  addresses: of their own -> as nova.conf says"]


def test_a_cell_is_made_by_the_program_that_is_handed_to_the_interpreter() -> None:
    host = FakeHost({"python": ""})
    CELL.fix(None, host)
    assert host.ran == ["python -"]
    assert host.given[0]["stdin"] == "make()"
    assert host.given[0]["user"] == "nova"


@pytest.mark.parametrize(("rows", "state"), [("host\tc1\n", {"in": "a cell"}), ("host\tc11\n", None)])
def test_a_compute_host_is_in_a_cell_or_not(rows: str, state: Any) -> None:
    assert CellMember.query([MEMBER], FakeHost({"mariadb": HOSTS + rows})) == {"compute-host:c1": state}


def test_two_new_compute_hosts_are_put_into_their_cell_by_one_command() -> None:
    host = FakeHost({"mariadb": HOSTS + "host\tc1\nhost\tc2\n", "nova-manage": ""})
    other = CellMember("c2", MEMBER.argv, "nova")
    CellMember.fix_all([(MEMBER, None), (other, None)], host)
    assert host.ran.count("nova-manage discover") == 1


def test_a_compute_host_that_says_nothing_is_named_with_what_to_look_at() -> None:
    host = FakeHost({"mariadb": HOSTS, "nova-manage": ""})
    with pytest.raises(FixFailed) as failed:
        CellMember.fix_all([(MEMBER, None)], host)
    assert failed.value.resource == MEMBER
    assert isinstance(failed.value.__cause__, CannotFix)
    assert "nova-compute on c1" in str(failed.value.__cause__)
    assert "nova-manage discover" not in host.ran


@pytest.mark.parametrize("resource", [CELL, MEMBER])
def test_they_cross_the_wire(resource: Any) -> None:
    assert from_wire(to_wire(resource)) == resource
