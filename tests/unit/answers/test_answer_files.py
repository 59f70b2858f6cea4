"""Variants of answer files: most in files.yaml; here what needs bytes, a disk or the command line."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.answers import InvalidAnswerFile, Problem, catalogue, check, load, load_text, read, write
from installer.answers.files import LARGEST
from installer.answers.parse import decode, parse_text
from installer.answers.validate import Outcome, evaluate
from installer.errors import AnswerFileError

CASES = yaml.safe_load(Path(__file__).with_name("files.yaml").read_text(encoding="utf-8"))
PLAIN = "[general]\nCONFIG_CONTROLLER_HOST=node1\nCONFIG_DEFAULT_PASSWORD=pw"


def outcome_of(text: str, overrides: dict[str, str] | None = None) -> Outcome:
    return evaluate(parse_text(text, "answers.txt"), overrides or {}, catalogue())


def one_line(problem: Problem) -> str:
    return f"{problem.line} {problem.severity.value}: {problem.message}"


def fits(told: str, expected: str) -> bool:
    place, _, part = expected.partition(": ")
    return told.startswith(f"{place}: ") and part in told


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_a_file_gives_all_its_problems_and_no_others(case: dict[str, Any]) -> None:
    outcome = outcome_of(case["text"].replace("PLAIN", PLAIN))
    told = [one_line(problem) for problem in outcome.problems]
    assert len(told) == len(case["problems"]), told
    for line, expected in zip(told, case["problems"], strict=True):
        assert fits(line, expected), told
    for problem, remedy in zip(outcome.problems, case.get("remedies", ()), strict=False):
        assert remedy in problem.remedy
    assert all(problem.remedy for problem in outcome.problems if problem.is_error)
    assert "hidden" not in "".join(problem.render() for problem in outcome.problems)
    assert (outcome.answers is None) == any(problem.is_error for problem in outcome.problems)


@pytest.mark.parametrize("case", [case for case in CASES if "values" in case], ids=lambda case: case["title"])
def test_a_file_gives_its_values(case: dict[str, Any]) -> None:
    answers = outcome_of(case["text"].replace("PLAIN", PLAIN)).answers
    assert answers
    for name, text in case["values"].items():
        assert catalogue()[name].type.format(answers[name]) == text


def test_a_problem_shows_the_line_the_place_and_the_remedy() -> None:
    problem = outcome_of(f"{PLAIN}\nCONFIG_SSH_PORT = 70000").problems[0]
    assert problem.render() == (
        "answers.txt:4: error: CONFIG_SSH_PORT: 70000 is out of range\n"
        "    CONFIG_SSH_PORT = 70000\n"
        "                      ^^^^^\n"
        "    remedy: write a port from 1 to 65535"
    )


def test_an_error_names_every_error_and_no_secret() -> None:
    with pytest.raises(InvalidAnswerFile) as caught:
        load_text(f"{PLAIN}\nCONFIG_DEBUG_MODE=1\nCONFIG_SSH_PORT=x\nCONFIG_SWIFT_INSTALL=y", "answers.txt")
    assert "2 errors" in caught.value.message
    assert "answers.txt:4" in caught.value.message
    assert "answers.txt:5" in caught.value.message
    assert len(caught.value.problems) == 3
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.encode("utf-16"),
        b"# caf\xe9 \x00\n" + PLAIN.encode(),
    ],
    ids=["byte order mark", "line ends of Windows", "line ends of old Macs", "UTF-16", "bytes in a comment"],
)
def test_bytes_that_editors_leave_behind_do_no_harm(data: bytes) -> None:
    assert outcome_of(decode(data)).problems == ()


def test_bytes_that_are_no_text_are_reported_by_line() -> None:
    problems = outcome_of(decode(f"{PLAIN}\nCONFIG_KEYSTONE_ADMIN_USERNAME=Jos".encode() + b"\xe9")).problems
    assert [one_line(problem) for problem in problems] == ["4 error: this line is not UTF-8 text"]
    assert "iconv" in problems[0].remedy


def test_the_command_line_wins_over_the_file() -> None:
    outcome = outcome_of(f"{PLAIN}\nCONFIG_DEBUG_MODE=n\nCONFIG_MARIADB_HOST=x", {"config_debug_mode": "y"})
    assert outcome.answers
    assert outcome.answers["CONFIG_DEBUG_MODE"] is True
    assert str(outcome.answers.source("CONFIG_DEBUG_MODE")) == "--set"
    assert str(outcome.answers.source("CONFIG_MARIADB_HOST")) == "answers.txt:5"
    assert str(outcome.answers.source("CONFIG_SSH_PORT")) == "default"


def test_the_command_line_wins_under_an_old_name() -> None:
    answers = outcome_of(f"{PLAIN}\nCONFIG_MARIADB_HOST=x", {"CONFIG_MYSQL_HOST": "y"}).answers
    assert answers
    assert answers["CONFIG_MARIADB_HOST"] == "y"


def test_a_wrong_value_on_the_command_line_is_reported_as_such() -> None:
    problems = outcome_of(PLAIN, {"CONFIG_SSH_PORT": "x", "CONFIG_COLOUR": "red"}).problems
    assert [problem.file for problem in problems] == ["--set", "--set"]
    assert all(problem.is_error for problem in problems)


def test_answers_are_a_mapping_that_hides_secrets() -> None:
    answers = load_text(f"{PLAIN}\nCONFIG_KEYSTONE_ADMIN_PW=hunter2\nCONFIG_HEAT_DB_PW=hunter2", "answers.txt")
    assert answers["CONFIG_KEYSTONE_ADMIN_PW"].reveal() == "hunter2"
    assert "hunter2" not in f"{answers!r}{answers.as_text()}{dict(answers)}"
    with pytest.raises(KeyError):
        answers["CONFIG_COLOUR"]


def test_the_digest_changes_with_values_and_not_with_secrets() -> None:
    digest = load_text(PLAIN, "a").digest()
    assert load_text(PLAIN.replace("=pw", "=another") + "\n# comment\nCONFIG_DEBUG_MODE=No", "b").digest() == digest
    assert load_text(PLAIN + "\nCONFIG_DEBUG_MODE=y", "a").digest() != digest


def test_a_file_is_read_from_disk_and_an_open_mode_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "answers.txt"
    path.write_text(PLAIN)
    path.chmod(0o644)
    assert load(path)["CONFIG_CONTROLLER_HOST"] == "node1"
    assert [problem.remedy for problem in check(path)] == [f"chmod 600 {path}"]
    path.chmod(0o600)
    assert check(path) == []


@pytest.mark.parametrize(
    ("line", "remedies"),
    [
        ("CONFIG_KEYSTONE_ADMIN_PW=PW_PLACEHOLDER", 0),
        ("CONFIG_DEBUG_MODE=y", 0),
        ("CONFIG_KEYSTONE_ADMIN_PW=pw", 1),
        ("CONFIG_HTTP_PROXY=http://user:pw@proxy.example:3128", 1),
    ],
)
def test_an_open_mode_is_warned_of_only_where_there_is_a_secret(tmp_path: Path, line: str, remedies: int) -> None:
    path = tmp_path / "answers.txt"
    path.write_text(f"[general]\n{line}\n")
    path.chmod(0o644)
    assert [problem.remedy for problem in check(path)].count(f"chmod 600 {path}") == remedies


@pytest.mark.parametrize("name", ["absent", ".", "\0"])
def test_a_file_that_cannot_be_read_is_an_error_with_a_remedy(tmp_path: Path, name: str) -> None:
    with pytest.raises(AnswerFileError, match="cannot read") as caught:
        load(str(tmp_path / name))
    assert caught.value.remedy


def test_a_file_far_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(b"\0" * (LARGEST + 2))
    with pytest.raises(AnswerFileError, match="larger than"):
        check(path)


def test_a_file_is_written_for_its_owner_only_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "answers.txt"
    old = os.umask(0)
    try:
        write(path, PLAIN)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(AnswerFileError, match="exists already"):
        write(path, "other")
    assert read(path) == PLAIN
    write(path, "other", replace=True)
    assert read(path) == "other"
    assert [entry.name for entry in tmp_path.iterdir()] == ["answers.txt"]


def test_a_file_is_not_written_through_a_dangling_link(tmp_path: Path) -> None:
    path = tmp_path / "answers.txt"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AnswerFileError, match="exists already"):
        write(path, PLAIN)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_in_no_folder_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(AnswerFileError, match="cannot write") as caught:
        write(tmp_path / "absent" / "answers.txt", PLAIN)
    assert caught.value.remedy
