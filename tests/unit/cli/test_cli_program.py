"""The command line as a whole, as far as it needs no host."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from installer import cli, exit_codes, journal
from installer.cli.options import BARE_WORDS, OPTIONS
from installer.cli.program import GROUPS
from installer.cli.verbs import VERBS
from installer.paths import ROOT

USAGE = yaml.safe_load(Path(__file__).with_name("usage.yaml").read_text())


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", USAGE, ids=lambda case: " ".join(case["words"]))
def test_a_command_line_that_cannot_be_carried_out_ends_with_2_and_a_remedy(case, capsys):
    assert cli.run(case["words"]) == exit_codes.USAGE
    said = capsys.readouterr()
    assert said.err == f"error: {case['says']}\nremedy: {case['remedy']}\n"
    assert said.out == ""


def test_every_verb_is_in_the_help_and_every_word_of_the_help_is_a_verb(capsys):
    assert cli.run([]) == 0
    told = set(re.findall(r"^  ([a-z][a-z-]+)  ", capsys.readouterr().out, re.MULTILINE))
    assert told == set(VERBS.task_names) == {name for names in GROUPS.values() for name in names}


@pytest.mark.parametrize("name", sorted(VERBS.task_names))
def test_the_help_of_every_verb_explains_each_option_in_80_columns(name, capsys):
    assert cli.run([name, "--help"]) == 0
    told = capsys.readouterr().out
    flags = {
        flag.removeprefix("--") for context in VERBS.to_contexts() if context.name == name for flag in context.flags
    }
    assert all(f"  --{flag}" in told for flag in flags)
    assert max(map(len, told.splitlines())) <= 110
    assert "Example" in told or name == "lab-list"


def test_bare_words_stand_for_options_that_exist():
    flags = {context.name: set(context.flags) for context in VERBS.to_contexts()}
    assert all(f"--{option}" in flags[verb] for verb, option in BARE_WORDS.items())
    assert set(BARE_WORDS.values()) <= set(OPTIONS)


def test_completion_offers_the_options_of_the_verb_at_hand(capsys):
    assert cli.run(["--complete", "--", "pystack", "install", "--al"]) == 0
    assert "--allinone" in capsys.readouterr().out.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_completion_script_for_common_shells(shell, capsys):
    assert cli.run(["--print-completion-script", shell]) == 0
    assert "--complete --" in capsys.readouterr().out


def test_a_generated_answer_file_is_private_valid_and_never_overwritten(tmp_path, capsys):
    path = tmp_path / "cloud.txt"
    assert cli.run(["generate", "--output", "cloud.txt", "--hosts", "192.0.2.1,192.0.2.2"]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "pystack install --answer-file cloud.txt" in capsys.readouterr().out
    assert cli.run(["validate", "cloud.txt"]) == 0
    before = path.read_bytes()
    assert cli.run(["--gen-answer-file=cloud.txt"]) == 2
    assert path.read_bytes() == before


def test_validate_shows_every_problem_on_the_users_own_line(tmp_path, capsys):
    Path("cloud.txt").write_text("[general]\nCONFIG_CONTROLLER_HOST=a b\nCONFIG_DEBUG_MOD=y\n")
    assert cli.run(["validate", "--answer-file=cloud.txt"]) == 2
    told = capsys.readouterr().out
    assert "cloud.txt:2: error:" in told
    assert "    CONFIG_CONTROLLER_HOST=a b" in told
    assert "did you mean CONFIG_DEBUG_MODE?" in told


def test_a_fault_of_pystack_is_told_as_one_and_its_traceback_kept(monkeypatch, capsys):
    def broken(*_):
        raise ZeroDivisionError("seven by nought")

    monkeypatch.setattr("installer.answers.check", broken)
    assert cli.run(["validate", "--answer-file=x", "--set", "CONFIG_A_PW=hunter22"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: this is a fault of pystack: ZeroDivisionError: seven by nought\n")
    assert "Traceback" not in said
    [run] = journal.runs()
    assert str(run.folder / journal.FAILURE) in said
    assert "in broken" in run.failure()
    assert run.argv == ["validate", "--answer-file=x", "--set", "CONFIG_A_PW=********"]
    assert run.outcome == "fault"


def test_ctrl_c_says_in_one_line_what_happens_next(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("installer.answers.check", interrupted)
    assert cli.run(["validate", "--answer-file=x"]) == 130
    said = capsys.readouterr().err.strip()
    assert said == "interrupted: the hosts finish the resource in hand; run the same command again"


def test_after_a_failure_the_generated_answer_file_is_what_to_go_on_with(capsys):
    words = ["install", "--hosts", "127.0.0.2", "--set", "CONFIG_SSH_PORT=1", "--yes"]
    assert cli.run(words) == exit_codes.UNREACHABLE
    [path] = Path().glob("pystack-answers-*.txt")
    assert f"pystack install --answer-file {path}\n" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["plan", "cloud.txt"]])
def test_a_reader_of_the_output_that_goes_away_is_no_fault(words, tmp_path):
    Path("cloud.txt").write_text(
        "[general]\nCONFIG_CONTROLLER_HOST=127.0.0.2\nCONFIG_SSH_PORT=1\nCONFIG_DEFAULT_PASSWORD=x\n"
    )
    program = [sys.executable, str(ROOT / "pystack"), *words]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ}) as process:
        process.stdout.close()
        said = process.stderr.read().decode()
        assert (process.wait(), "Traceback" in said) == (exit_codes.INTERRUPTED, False), said
    assert {run.outcome for run in journal.runs()} <= {"interrupted"}


def test_the_exit_codes_of_errors_are_those_that_help_explains():
    from installer import errors

    classes = [item for item in vars(errors).values() if isinstance(item, type)]
    assert {item.exit_code for item in classes} <= set(exit_codes.MEANINGS)


def test_a_host_that_does_not_listen_ends_with_4_and_its_journal_says_so(capsys):
    assert cli.run(["generate", "--output", "cloud.txt", "--hosts", "127.0.0.9", "--set", "CONFIG_SSH_PORT=9"]) == 0
    assert cli.run(["plan", "cloud.txt", "--quiet"]) == 4
    said = capsys.readouterr().err
    assert said.startswith("error: 127.0.0.9: ")
    assert "\nremedy: " in said
    [run] = journal.runs()
    assert (run.verb, run.outcome) == ("plan", "unreachable")
    assert "127.0.0.9" in run.failure()
    assert (run.folder / journal.REPORT).exists()


def test_the_readme_explains_every_exit_code_as_help_does():
    table = re.findall(r"^\| (\d+) \| (.+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {int(code): text for code, text in table} == {
        code: meaning for code, (_, meaning) in exit_codes.MEANINGS.items()
    }


DOCUMENTS = sorted(path.relative_to(ROOT) for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_command_in_the_documents_is_one_with_options_of_its_own(document):
    flags = {context.name: set(context.flags) for context in VERBS.to_contexts()}
    text = (ROOT / document).read_text()
    lines = (
        re.findall(r"(?m)^    (.*)$", text)
        + re.findall(r"(?ms)^```\w*\n(.*?)^```", text)
        + re.findall(r"`([^`\n]+)`", text)
    )
    commands = re.findall(r"(?m)(?:^|(?<=[ /(]))pystack ([a-z][a-z-]*)((?: +[^#&|;\n]*)?)", "\n".join(lines))
    for name, options in commands:
        assert name in flags, f"{document}: pystack {name}"
        assert set(re.findall(r"(?<= )--[a-z-]+", options)) <= flags[name] | {"--help"}, f"{document}: {name}{options}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_the_files_that_documents_lead_to_exist(document):
    text = (ROOT / document).read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / document).parent.joinpath(target).exists(), target
    for place in re.findall(r"`((?:installer|roles|templates|tests|bench|docs|answers)/[\w./-]*)`", text):
        assert (ROOT / place).exists(), place


def test_the_role_in_the_documents_is_the_one_in_the_project():
    text = (ROOT / "docs" / "how-a-role-is-written.md").read_text()
    (example,) = re.findall(r"(?ms)^```python\n(.*?)^```", text)
    role = (ROOT / "roles" / "memcached" / "role.py").read_text()
    missing = [line for line in example.splitlines() if re.sub(r"  +# .*", "", line) not in role]
    assert missing == []
