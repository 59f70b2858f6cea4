"""Whatever is thrown at it: never a traceback, and every secret that can be written comes back as it was."""

import configparser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installer.answers import InvalidAnswerFile, carry, catalogue, check, generate, load_text
from installer.answers.files import load
from installer.answers.parse import assignment, decode, parse_text
from installer.answers.shown import ValueProblem
from installer.answers.validate import Outcome, evaluate
from installer.errors import AnswerFileError

SECRETS = [parameter.name for parameter in catalogue() if parameter.is_secret]
NAMES = [parameter.name for parameter in catalogue()]
OLD_NAMES = [*catalogue().aliases, *catalogue().retired]
few = settings(max_examples=250, deadline=None)

any_text = st.text(st.characters(codec=None), max_size=40)
telling = st.sampled_from(
    [
        *("y", "n", "", "PW_PLACEHOLDER", "********", "%{::processorcount}", "node1", "a,b", "10.0.0.1,10.0.0.1"),
        *("[", "[::1", "::1/64", "http://[", "20G", "-1", "9" * 5000, "fe80::1%eth0", "$(id)", "a\n b"),
        *("\x1b]0;x\x07", "\ud800"),
    ]
)
keys = st.one_of(st.sampled_from(NAMES), st.sampled_from(OLD_NAMES), any_text)
values = st.one_of(telling, any_text)
lines = st.one_of(
    st.builds(
        "{}{}{}{}".format, st.sampled_from(["", " ", "\t"]), keys, st.sampled_from(["=", ":", " = ", ""]), values
    ),
    st.sampled_from(["[general]", "[other]", "[", "]", "# x", "; y", "  continued", "", "\ufeff", "[general"]),
)
texts = st.lists(lines, max_size=12).map("\n".join)


def swallow(text: str, overrides: dict[str, str] | None = None) -> Outcome:
    outcome = evaluate(parse_text(text, "answers.txt"), overrides or {}, catalogue())
    for problem in outcome.problems:
        assert all(line.isprintable() for line in problem.render().split("\n"))
    if outcome.answers:
        outcome.answers.digest()
    return outcome


@few
@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_end_in_a_traceback(data: bytes) -> None:
    swallow(decode(data))


@few
@given(st.lists(lines, max_size=12).map("\n".join), st.dictionaries(keys, values, max_size=3))
def test_arbitrary_lines_never_end_in_a_traceback(text: str, overrides: dict[str, str]) -> None:
    swallow(text, overrides)
    swallow(f"[general]\nCONFIG_CONTROLLER_HOST=node1\nCONFIG_DEFAULT_PASSWORD=pw\n{text}", overrides)


@few
@given(st.sampled_from(NAMES), values)
def test_arbitrary_values_of_every_parameter_never_end_in_a_traceback(name: str, value: str) -> None:
    swallow(f"[general]\n{name}={value}")
    swallow("[general]\nCONFIG_CONTROLLER_HOST=node1\nCONFIG_DEFAULT_PASSWORD=pw", {name: value})


@few
@given(texts)
def test_arbitrary_files_are_carried_into_files_that_can_be_read(text: str) -> None:
    carried = carry(f"[general]\n{text}", "old")
    new = parse_text(generate(carried=carried.values), "new")
    assert new.problems == []
    names = [entry.key for entry in new.entries]
    assert set(carried.values) <= set(names)
    problems = evaluate(new, {}, catalogue()).problems
    assert not [p for p in problems if p.is_error and "localhost" not in p.message and "needs the" not in p.message]


@few
@given(st.dictionaries(keys, values, max_size=4), st.lists(values, max_size=3))
def test_arbitrary_input_of_generate_gives_a_file_or_a_clear_list(overrides: dict[str, str], hosts: list[str]) -> None:
    try:
        text = generate(hosts, overrides)
    except InvalidAnswerFile:
        return
    assert parse_text(text, "new").problems == []


@few
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1, max_size=200))
def test_a_secret_comes_back_as_it_was(secret: str) -> None:
    if secret.strip() != secret:
        with pytest.raises(ValueProblem):
            assignment("CONFIG_KEYSTONE_ADMIN_PW", secret)
        return
    answers = load_text(generate(["node1"], {"CONFIG_KEYSTONE_ADMIN_PW": secret, "CONFIG_DEFAULT_PASSWORD": "x"}), "a")
    expected = "x" if not secret.strip("*") or secret == "PW_PLACEHOLDER" else secret
    assert answers["CONFIG_KEYSTONE_ADMIN_PW"].reveal() == expected


@few
@given(st.lists(st.text("ab#;=: \t%", max_size=6), min_size=1, max_size=4).map("\n".join))
def test_a_secret_of_several_lines_comes_back_or_is_refused(secret: str) -> None:
    try:
        written = assignment("CONFIG_KEYSTONE_ADMIN_PW", secret)
    except ValueProblem:
        return
    text = f"[general]\nCONFIG_CONTROLLER_HOST=node1\nCONFIG_DEFAULT_PASSWORD=x\n{written}\nCONFIG_SSH_PORT=22\n"
    assert load_text(text, "a")["CONFIG_KEYSTONE_ADMIN_PW"].reveal() == (secret or "x")


@few
@given(
    st.lists(
        st.one_of(
            lines,
            st.builds(
                "{}{}={}".format, st.sampled_from(["", " "]), st.sampled_from(SECRETS), any_text.map("hunter2{}".format)
            ),
        ),
        max_size=8,
    )
)
def test_no_problem_ever_shows_a_secret(found: list[str]) -> None:
    text = "\n".join(["[general]", *found])
    told = [problem.render() for problem in swallow(text).problems + carry(text, "old").lost]
    assert "hunter2" not in "".join(told)


plain_lines = st.one_of(
    st.builds(
        "{}{}{}{}".format, st.sampled_from(["", " ", "  "]), st.sampled_from("abc"), st.sampled_from("=:"), telling
    ),
    st.sampled_from(["# x", "; y", "  continued", "    more", "", "  # inside"]),
).filter(lambda line: "\ud800" not in line and "\x1b" not in line)


@few
@given(st.lists(plain_lines, max_size=10).map(lambda found: "\n".join(["[general]", *found])))
def test_the_language_is_that_of_configparser(text: str) -> None:
    reference = configparser.RawConfigParser()
    parsed = parse_text(text, "a")
    try:
        reference.read_string(text)
    except configparser.Error:
        assert parsed.problems
        return
    assert not parsed.problems
    assert {entry.key.lower(): entry.value for entry in parsed.entries} == dict(reference["general"])


def test_a_hostile_file_is_read_in_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "answers.txt"
    shapes = [
        "a" + " " * 300_000 + "b",
        "=" * 300_000,
        "://:" * 50_000,
        "\n".join(f"CONFIG_{n}=x" for n in range(9000)),
    ]
    path.write_text("[general]\n" + "\n".join(shapes))
    path.chmod(0o600)
    assert len(check(path)) > 9000
    with pytest.raises(AnswerFileError):
        load(path)
