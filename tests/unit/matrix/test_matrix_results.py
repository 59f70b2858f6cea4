"""The file of results: what is written can be read, by whole lines, and what cannot be read is told."""

from __future__ import annotations

import ast
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.paths import ROOT
from tests.matrix.declared import FEATURES, unknown
from tests.matrix.results import FILE, Kind, Result, append, read

HERE = Path(__file__).resolve().parent
WHOLE = Result(
    date="2026-12-01T10:00:00Z",
    commit="aaaaaaa",
    test="tests/lab/test_a.py::test_a[ü]",
    shows=("identity", "images"),
    passed=False,
    platform="el-9",
    kind=Kind.STAND_IN,
    kernel="own",
    seconds=1.5,
    measured={"identity": {"fresh_seconds": 60.5}},
    session="20261201100000-1",
    origin="somewhere",
)


def test_what_is_added_is_read_again(tmp_path: Path) -> None:
    bare = Result("2026-12-02", "bbbbbbb", "a", ("locks",))
    append([WHOLE], tmp_path / "results.jsonl")
    append([], tmp_path / "results.jsonl")
    append([bare], tmp_path / "results.jsonl")
    assert read(tmp_path / "results.jsonl") == [WHOLE, bare]


def test_half_a_line_swallows_no_other(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(WHOLE.line() + WHOLE.line()[:20])
    append([WHOLE], path)
    assert path.read_text().splitlines() == [WHOLE.line().strip(), WHOLE.line()[:20], WHOLE.line().strip()]
    with pytest.raises(ValueError, match=r"results\.jsonl, line 2"):
        read(path)


def _add_many(path: Path) -> None:
    for _ in range(50):
        append([WHOLE, WHOLE], path)


def test_runs_that_add_at_the_same_time_leave_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add_many, args=(path,)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert read(path) == [WHOLE] * 300


@pytest.mark.parametrize("case", yaml.safe_load((HERE / "lines.yaml").read_text()), ids=lambda case: case["title"])
def test_a_line_that_cannot_be_read_is_told(case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text(case["line"] + "\n")
    with pytest.raises(ValueError) as told:  # noqa: PT011 - what it says is compared below
        read(tmp_path / "results.jsonl")
    assert case["told"] in str(told.value)


def test_what_is_kept_can_be_read_and_every_result_tells_of_something() -> None:
    assert [result for result in read(FILE) if not (result.shows or result.measured)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "tests/lab").glob("test_*.py")), ids=lambda path: path.name)
def test_every_module_of_lab_tests_says_what_it_shows(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    marks = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "shows"]
    words = [str(word.value) for mark in marks for word in mark.args if isinstance(word, ast.Constant)]
    assert marks, "say it with pytest.mark.shows; tests/matrix/declared.yaml has the features"
    assert unknown(words, FEATURES) == []
