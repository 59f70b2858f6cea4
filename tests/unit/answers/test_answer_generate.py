"""Making answer files: complete, valid, the same each time but for the secrets."""

import itertools
from pathlib import Path

import pytest
import yaml

from installer.answers import Answers, InvalidAnswerFile, carry, catalogue, check, generate, load_text, read, write
from installer.answers.generate import ALPHABET, new_secret
from installer.paths import ANSWERS
from installer.resources.secret import Secret

EXAMPLES = sorted((ANSWERS / "examples").iterdir())


def loaded(text: str) -> Answers:
    return load_text(text, "generated")


def with_counted_secrets() -> str:
    counter = itertools.count(1)
    return generate(make_secret=lambda: f"secret{next(counter)}")


def test_a_generated_file_is_valid_and_gives_no_notices(tmp_path: Path) -> None:
    path = tmp_path / "answers.txt"
    write(path, generate(["192.0.2.1", "192.0.2.2"]))
    assert check(path) == []


def test_a_full_file_warns_only_of_services_that_come_later() -> None:
    notices = loaded(generate(["192.0.2.1"], full=True)).notices
    assert all("is accepted, but" in notice.message for notice in notices)
    assert {notice.key for notice in notices} >= {"CONFIG_PROVISION_OVS_BRIDGE"}


def test_the_same_input_gives_the_same_file_but_for_the_secrets() -> None:
    assert with_counted_secrets() == with_counted_secrets()
    one, two = generate(), generate()
    differing = [(a, b) for a, b in zip(one.splitlines(), two.splitlines(), strict=True) if a != b]
    wanted = {parameter.name for parameter in catalogue() if parameter.random and parameter.is_supported}
    assert {a.partition("=")[0] for a, _ in differing} == wanted


def test_the_first_host_is_the_controller_and_the_others_run_instances() -> None:
    answers = loaded(generate(["192.0.2.1", "node2", "2001:db8::3"]))
    assert answers["CONFIG_CONTROLLER_HOST"] == "192.0.2.1"
    assert answers["CONFIG_NETWORK_HOSTS"] == ("192.0.2.1",)
    assert answers["CONFIG_MARIADB_HOST"] == "192.0.2.1"
    assert answers["CONFIG_COMPUTE_HOSTS"] == ("node2", "2001:db8::3")


def test_a_single_host_runs_instances_too() -> None:
    assert loaded(generate(["node1"]))["CONFIG_COMPUTE_HOSTS"] == ("node1",)


def test_without_hosts_the_cloud_is_on_this_machine() -> None:
    assert loaded(generate())["CONFIG_CONTROLLER_HOST"] == "localhost"


def test_the_compute_hosts_follow_a_controller_given_by_override() -> None:
    assert loaded(generate(overrides={"CONFIG_CONTROLLER_HOST": "node1"}))["CONFIG_COMPUTE_HOSTS"] == ("node1",)


def test_secrets_are_long_and_of_letters_and_digits() -> None:
    made = [new_secret() for _ in range(50)]
    assert len(set(made)) == 50
    assert all(len(secret) == 32 and set(secret) <= set(ALPHABET) for secret in made)


def test_with_a_default_password_no_secrets_are_made_up() -> None:
    answers = loaded(generate(overrides={"CONFIG_DEFAULT_PASSWORD": "one for all"}))
    assert answers["CONFIG_KEYSTONE_ADMIN_PW"] == Secret("one for all")


def test_overrides_win_and_parameters_that_come_later_are_written_last() -> None:
    text = generate(["node1"], {"CONFIG_SWIFT_INSTALL": "y", "CONFIG_MYSQL_HOST": "node2"}, {"CONFIG_DEBUG_MODE": "y"})
    answers = loaded(text)
    assert answers["CONFIG_SWIFT_INSTALL"] is True
    assert answers["CONFIG_MARIADB_HOST"] == "node2"
    assert answers["CONFIG_DEBUG_MODE"] is True
    assert text.index("Accepted, but not done yet") < text.index("CONFIG_SWIFT_INSTALL=y")
    assert "CONFIG_TROVE_INSTALL" not in text


def test_the_full_file_has_all_that_is_accepted() -> None:
    text = generate(full=True)
    for parameter in catalogue():
        assert (f"\n{parameter.name}=" in text) == (parameter.status.value != "refused"), parameter.name


def test_wrong_hosts_and_overrides_are_all_named() -> None:
    with pytest.raises(InvalidAnswerFile) as caught:
        generate(["a b", "c@d"])
    assert len(caught.value.problems) == 2
    with pytest.raises(InvalidAnswerFile) as caught:
        generate(overrides={"CONFIG_SSH_PORT": "x", "CONFIG_DEBUG_MOD": "y", "CONFIG_MARIADB_PW": "a\n#b"})
    assert [problem.key for problem in caught.value.problems] == [
        "CONFIG_SSH_PORT",
        "CONFIG_DEBUG_MOD",
        "CONFIG_MARIADB_PW",
    ]


def test_comments_fit_a_terminal_and_hold_nothing_but_text() -> None:
    text = generate(full=True)
    assert all(len(line) <= 100 for line in text.splitlines() if line.startswith("#"))
    assert all(line.isprintable() for line in text.splitlines())


def test_the_examples_are_valid() -> None:
    examples = sorted((Path(__file__).parents[3] / "answers" / "examples").glob("*.txt"))
    assert examples
    for example in examples:
        answers = load_text(example.read_text(encoding="utf-8"), example.name, {"CONFIG_DEFAULT_PASSWORD": "x"})
        assert answers.notices == ()


def test_the_catalogue_files_are_what_the_wheel_carries() -> None:
    folder = Path(__file__).parents[3] / "answers"
    assert all(yaml.safe_load(path.read_text(encoding="utf-8")) for path in folder.glob("*.yaml"))


@pytest.mark.parametrize(("given", "remedy"), [("a;b", "separate hosts with commas"), ("", "write one name")])
def test_what_is_no_host_is_refused_with_a_remedy(given: str, remedy: str) -> None:
    with pytest.raises(InvalidAnswerFile) as refused:
        generate([given])
    assert remedy in refused.value.problems[0].remedy


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_lacks_only_secrets_and_says_how_it_is_completed(path: Path) -> None:
    text = read(path)
    assert "pystack generate --from COPY" in text
    assert [(problem.line, problem.message[:21]) for problem in check(path)] == [(0, "no secret is given fo")]
    carried = carry(text, path.name)
    assert carried.lost == ()
    assert load_text(generate(carried=carried.values), "new").notices == ()
