"""docs/test-matrix.md: what it says for which results, and that it is current."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.matrix.declared import Feature
from tests.matrix.document import cell, current, document
from tests.matrix.results import Result, read
from tests.matrix.times import HEAD
from tests.matrix.writing import DOCUMENT, made

HERE = Path(__file__).resolve().parent
USUAL = {"test": "a::test_a", "shows": ["identity"], "platform": "el-9", "kind": "real", "outcome": "passed"}
FEATURES = {
    "identity": Feature("identity", "Identity"),
    "iscsi": Feature("iscsi", "iSCSI", "own kernel"),
    "locks": Feature("locks", "Locks", "no host"),
}
CLOUDS = {"identity": "identity alone", "whole-cloud": "the whole cloud"}


def results(tmp_path: Path, entries: list[dict[str, Any]]) -> list[Result]:
    """Return results as the file has them that holds these entries."""
    lines = [{"date": "2026-12-01", "commit": "aaaaaaa", **USUAL, **entry} for entry in entries]
    path = tmp_path / "results.jsonl"
    path.write_text("".join(json.dumps(line, default=str) + "\n" for line in lines))
    return read(path)


def is_there(test: str) -> bool:
    return not test.startswith("gone")


def written(tmp_path: Path, entries: list[dict[str, Any]], platforms: tuple[str, ...] = ("debian-13", "el-9")) -> str:
    return document(results(tmp_path, entries), FEATURES, platforms, CLOUDS, is_there)


def section(text: str, title: str) -> list[str]:
    """Return the lines of a section, without its heading and the head of its table."""
    heads = ("| ---", "| feature", "| platform")
    _, _, rest = text.partition(f"## {title}\n")
    return [line for line in rest.partition("\n## ")[0].splitlines() if line and not line.startswith(heads)]


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == made(), "run python -m tests.matrix"


@pytest.mark.parametrize("case", yaml.safe_load((HERE / "cells.yaml").read_text()), ids=lambda case: case["title"])
def test_the_best_that_was_seen_and_what_fails_is_said(case: dict[str, Any], tmp_path: Path) -> None:
    newest = current(results(tmp_path, case["results"]), is_there)
    assert cell(newest, "identity", "el-9") == case["says"]


def test_every_feature_has_a_row_and_every_platform_a_column_seen_or_not(tmp_path: Path) -> None:
    entries = [{"platform": "ubuntu-26.04", "shows": ["iscsi"]}]
    assert section(written(tmp_path, entries), "Features by platform") == [
        "| Identity | not seen | not seen | not seen |",
        "| iSCSI | not seen | not seen | lab real 2026-12-01 aaaaaaa |",
    ]


def test_what_needs_no_host_is_not_asked_of_platforms(tmp_path: Path) -> None:
    entries = [{"shows": ["locks"], "platform": "", "kind": ""}]
    text = written(tmp_path, entries)
    assert section(text, "What needs no host") == ["| Locks | 2026-12-01 aaaaaaa |"]
    assert "Locks" not in "".join(section(text, "Features by platform") + section(text, "Not seen"))


def test_each_gap_is_named_and_what_needs_a_kernel_of_its_own_told_apart(tmp_path: Path) -> None:
    entries = [
        {"shows": ["identity"], "kind": "stand-in"},
        {"shows": ["identity", "iscsi"], "platform": "fedora-44"},
    ]
    assert section(written(tmp_path, entries, ("debian-13", "el-9", "fedora-44")), "Not seen") == [
        "- **debian-13**: everything.",
        "- **el-9**: With a kernel of its own: iSCSI.",
    ]


def test_what_the_lab_cannot_show_is_a_gap_and_its_reason_is_told(tmp_path: Path) -> None:
    features = {**FEATURES, "hosts": Feature("hosts", "Three hosts", unseen={"debian-1*": "no module"})}
    entries = results(
        tmp_path, [{"shows": ["identity", "iscsi"]}, {"shows": ["identity", "iscsi"], "platform": "debian-12"}]
    )
    text = document(entries, features, ("debian-12", "el-9"), CLOUDS, is_there)
    assert section(text, "Features by platform")[-1] == "| Three hosts | not seen | not seen |"
    assert section(text, "Not seen") == ["- **debian-12**: Three hosts (no module).", "- **el-9**: Three hosts."]
    assert section(text, "Not there") == ["Nothing."]


def test_what_a_platform_cannot_have_is_no_gap_and_is_told_with_its_reason(tmp_path: Path) -> None:
    features = {
        "nis": Feature("nis", "NIS", absent={"el-*": "EL has none.", "fedora-44": "None."}),
        "ssh": Feature("ssh", "SSH"),
    }
    entries = results(tmp_path, [{"shows": ["nis"], "platform": "el-10"}])
    text = document(entries, features, ("debian-13", "el-9", "el-10", "fedora-44"), CLOUDS, is_there)
    row, _ = section(text, "Features by platform")
    assert row == "| NIS | not seen | not there | lab real 2026-12-01 aaaaaaa | not there |"
    assert section(text, "Not there") == ["- NIS: el-9: EL has none.", "- NIS: fedora-44: None."]
    assert section(text, "Not seen") == [
        "- **debian-13**: everything.",
        "- **el-9**: everything.",
        "- **el-10**: SSH.",
        "- **fedora-44**: everything.",
    ]


def test_cells_that_rest_only_on_what_was_written_down_are_counted_and_named(tmp_path: Path) -> None:
    by_hand = {"test": "a.py", "from": "docs/test-history.md: by hand"}
    entries = [
        {**by_hand, "shows": ["identity", "iscsi"]},
        {"shows": ["identity"]},
        {**by_hand, "platform": "debian-13"},
        {**by_hand, "shows": ["locks"], "platform": "", "kind": ""},
    ]
    text = written(tmp_path, entries)
    assert section(text, "Written down by hand, not recorded") == [
        "- **debian-13**: 1 of 1: Identity.",
        "- **el-9**: 1 of 2: iSCSI.",
        "- **no host**: 1 of 1: Locks.",
    ]
    assert section(text, "What needs no host") == ["| Locks | written down 2026-12-01 aaaaaaa |"]


def test_what_fails_is_seen_and_named(tmp_path: Path) -> None:
    text = written(tmp_path, [{"test": "a::test_a[x|y]", "outcome": "failed"}, {"shows": ["iscsi"]}])
    assert section(text, "Failing") == ["- `a::test_a[x|y]`: el-9 lab real 2026-12-01 aaaaaaa"]
    assert "el-9" not in "".join(section(text, "Not seen"))
    assert section(written(tmp_path, []), "Failing") == ["Nothing."]


@pytest.mark.parametrize("case", yaml.safe_load((HERE / "times.yaml").read_text()), ids=lambda case: case["title"])
def test_the_times_of_a_row_are_of_one_run(case: dict[str, Any], tmp_path: Path) -> None:
    text = written(tmp_path, case["results"], ("el-9",))
    rows = [
        line.removeprefix("| ").removesuffix(" |").split(" | ")
        for line in section(text, "Times")
        if line.startswith("| el-9")
    ]
    assert [dict(zip(HEAD[3:], row[3:], strict=True)) for row in rows] == case["rows"]


def test_times_have_a_row_for_each_platform_kind_of_host_and_cloud(tmp_path: Path) -> None:
    identity = {"measured": {"identity": {"fresh_seconds": 60}}}
    entries = [
        identity,
        {**identity, "kind": "stand-in", "kernel": "own"},
        {"measured": {"whole-cloud": {"rerun_seconds": 2}}, "platform": "debian-13"},
        {**identity, "platform": "debian-13"},
    ]
    rows = section(written(tmp_path, entries, ("debian-13", "el-9", "fedora-44")), "Times")
    assert [line.split(" | ")[:3] for line in rows if line.startswith("|")] == [
        ["| debian-13", "lab real", "identity alone"],
        ["| debian-13", "lab real", "the whole cloud"],
        ["| el-9", "lab real", "identity alone"],
        ["| el-9", "lab stand-in, own kernel", "identity alone"],
        ["| fedora-44", "", ""],
    ]
