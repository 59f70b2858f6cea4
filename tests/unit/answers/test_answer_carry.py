"""Carrying Packstack's files over: what is kept, what is lost and why."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.answers import InvalidAnswerFile, Problem, carry, catalogue, generate, load_text, read
from installer.answers.parse import parse_text
from installer.answers.validate import evaluate

REAL = sorted((Path(__file__).parents[4] / "shared" / "packstack" / "answerfiles").glob("*.txt"))
CASES = yaml.safe_load(Path(__file__).with_name("carried.yaml").read_text(encoding="utf-8"))
START = "[general]\nCONFIG_CONTROLLER_HOST=node1\n"


def lost(problems: tuple[Problem, ...]) -> list[str]:
    return [f"{problem.line} {problem.message}" for problem in problems]


def test_hosts_secrets_and_settings_are_carried() -> None:
    carried = carry(
        "[general]\nCONFIG_CONTROLLER_HOST=192.0.2.1\nCONFIG_COMPUTE_HOSTS=192.0.2.2, 192.0.2.3,\n"
        "CONFIG_KEYSTONE_ADMIN_PW=p%w\nCONFIG_NOVA_DB_PW=nova pw\nCONFIG_DEBUG_MODE=Y\nCONFIG_HEAT_INSTALL=n\n",
        "old",
    )
    assert carried.lost == ()
    assert carried.values == {
        "CONFIG_CONTROLLER_HOST": "192.0.2.1",
        "CONFIG_COMPUTE_HOSTS": "192.0.2.2,192.0.2.3",
        "CONFIG_KEYSTONE_ADMIN_PW": "p%w",
        "CONFIG_NOVA_DB_PW": "nova pw",
        "CONFIG_DEBUG_MODE": "y",
    }
    answers = load_text(generate(carried=carried.values), "new")
    assert answers["CONFIG_NOVA_DB_PW"].reveal() == "nova pw"


def test_old_names_and_quantum_are_carried_under_todays_names() -> None:
    carried = carry(
        "[general]\nCONFIG_KEYSTONE_HOST=node1\nCONFIG_GLANCE_HOST=node1\nCONFIG_MYSQL_PW=db\n"
        "CONFIG_QUANTUM_L3_HOSTS=node2\nCONFIG_QUANTUM_DB_PW=q\nCONFIG_QPID_HOST=node3\n",
        "old",
    )
    assert carried.lost == ()
    assert carried.values == {
        "CONFIG_CONTROLLER_HOST": "node1",
        "CONFIG_MARIADB_PW": "db",
        "CONFIG_NETWORK_HOSTS": "node2",
        "CONFIG_NEUTRON_DB_PW": "q",
        "CONFIG_AMQP_HOST": "node3",
    }


def test_what_cannot_be_carried_is_listed_with_line_and_reason() -> None:
    carried = carry(
        "[general]\nCONFIG_CONTROLLER_HOST=node1\nCONFIG_KEYSTONE_TOKEN_FORMAT=UUID\nCONFIG_SAHARA_INSTALL=y\n"
        "CONFIG_KEYSTONE_ADMIN_TOKEN=hidden\nCONFIG_COLOUR=red\nCONFIG_SSH_PORT=x\nCONFIG_GLANCE_HOST=node2\n"
        "CONFIG_RH_USER=me\nCONFIG_RH_PW=hidden\nCONFIG_MARIADB_PW=PW_PLACEHOLDER\nCONFIG_KEYSTONE_DB_PW=********\n"
        "CONFIG_SERVICE_WORKERS=%{::processorcount}\nnonsense\nCONFIG_TROVE_DB_PW=PW_PLACEHOLDER\n",
        "old",
    )
    assert carried.values == {"CONFIG_CONTROLLER_HOST": "node1"}
    told = lost(carried.lost)
    expected = [
        "3 CONFIG_KEYSTONE_TOKEN_FORMAT is not carried over: UUID tokens were removed",
        "4 CONFIG_SAHARA_INSTALL is not carried over: the data processing service",
        "5 CONFIG_KEYSTONE_ADMIN_TOKEN is not carried over: the identity service",
        "6 CONFIG_COLOUR is not carried over: it is not a parameter",
        "7 CONFIG_SSH_PORT is not carried over: 'x' is not a port",
        "8 CONFIG_GLANCE_HOST is not carried over: CONFIG_CONTROLLER_HOST is taken from line 2",
        "9 CONFIG_RH_USER is not carried over: pystack registers no host",
        "10 CONFIG_RH_PW is not carried over: pystack registers no host",
        "11 CONFIG_MARIADB_PW is not carried over: this is no secret",
        "12 CONFIG_KEYSTONE_DB_PW is not carried over: this is no secret",
        "14 this line is neither",
    ]
    assert len(told) == len(expected), told
    assert all(line.startswith(start) for line, start in zip(told, expected, strict=True)), told
    assert "hidden" not in "".join(problem.render() for problem in carried.lost)
    assert load_text(generate(carried=carried.values), "new")["CONFIG_MARIADB_PW"]


def test_a_file_without_a_controller_says_what_the_new_one_has() -> None:
    carried = carry("[general]\nCONFIG_CONTROLLER_HOST=$address\n", "old")
    assert len(carried.lost) == 2
    assert "localhost" in carried.lost[1].message


def test_given_hosts_win_over_all_hosts_of_the_old_file() -> None:
    carried = carry(
        "[general]\nCONFIG_CONTROLLER_HOST=old\nCONFIG_MARIADB_HOST=old\nCONFIG_STORAGE_HOST=old\nCONFIG_NTP_SERVERS=time\n",
        "old",
    )
    answers = load_text(generate(["new"], carried=carried.values), "new")
    assert answers["CONFIG_CONTROLLER_HOST"] == answers["CONFIG_MARIADB_HOST"] == "new"
    assert answers["CONFIG_STORAGE_HOST"] == "new"
    assert answers["CONFIG_NTP_SERVERS"] == ("time",)
    assert carried.values["CONFIG_CONTROLLER_HOST"] == "old"


def test_a_default_password_is_carried_and_goes_on_standing_in() -> None:
    carried = carry("[general]\nCONFIG_CONTROLLER_HOST=node1\nCONFIG_DEFAULT_PASSWORD=pw\n", "old")
    assert load_text(generate(carried=carried.values), "new")["CONFIG_KEYSTONE_ADMIN_PW"].reveal() == "pw"


def test_our_own_files_are_carried_without_loss() -> None:
    old = generate(["node1", "node2"], {"CONFIG_DEBUG_MODE": "y"}, full=True)
    carried = carry(old, "old")
    assert carried.lost == ()
    assert load_text(generate(carried=carried.values), "new").digest() == load_text(old, "old").digest()


@pytest.mark.skipif(not REAL, reason="the collected answer files of Packstack are not on this machine")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_file_gives_answers_or_a_clear_list(path: Path) -> None:
    outcome = evaluate(parse_text(read(path), path.name), {}, catalogue())
    errors = [problem for problem in outcome.problems if problem.is_error]
    assert outcome.answers or errors
    for problem in errors:
        assert problem.remedy, problem
        assert problem.line or "no secret is given" in problem.message or "is not set" in problem.message, problem


@pytest.mark.skipif(not REAL, reason="the collected answer files of Packstack are not on this machine")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_file_is_carried_into_a_valid_one(path: Path) -> None:
    text = read(path)
    carried = carry(text, path.name)
    answers = load_text(generate(carried=carried.values), "new")
    kept = [name for name in carried.values if catalogue()[name].is_secret]
    assert all(answers[name].reveal() in text for name in kept)
    assert all(problem.line or problem.key == "CONFIG_CONTROLLER_HOST" for problem in carried.lost)


def test_instances_without_networks_are_not_carried_over_but_a_cloud_without_both_is() -> None:
    told = carry("[general]\nCONFIG_CONTROLLER_HOST=node1\nCONFIG_NEUTRON_INSTALL=n\n", "old.txt")
    assert "CONFIG_NEUTRON_INSTALL" not in told.values
    assert [(problem.line, "since Ocata" in problem.message) for problem in told.lost] == [(3, True)]
    both = carry(
        "[general]\nCONFIG_CONTROLLER_HOST=node1\nCONFIG_NEUTRON_INSTALL=n\nCONFIG_NOVA_INSTALL=n\n", "old.txt"
    )
    assert both.values["CONFIG_NEUTRON_INSTALL"] == both.values["CONFIG_NOVA_INSTALL"] == "n"
    assert both.lost == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_what_cannot_be_carried_is_never_replaced_in_silence(case: dict[str, Any]) -> None:
    carried = carry(START + case["text"], "old")
    assert carried.values == {"CONFIG_CONTROLLER_HOST": "node1", **case["values"]}
    told = [f"{problem.line} {problem.message} -> {problem.remedy}" for problem in carried.lost]
    assert len(told) == len(case["lost"]), told
    assert all(line.startswith(start) for line, start in zip(told, case["lost"], strict=True)), told


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_what_is_carried_is_what_is_read(case: dict[str, Any]) -> None:
    outcome = evaluate(parse_text(f"{START}CONFIG_DEFAULT_PASSWORD=pw\n{case['text']}", "old"), {}, catalogue())
    if outcome.answers:
        read_as = {name: outcome.answers[name] for name in case["values"]}
        assert read_as == {name: catalogue()[name].type.parse(text) for name, text in case["values"].items()}


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("CONFIG_NTP_SERVERS=pool.ntp.org  # comment", "a comment needs a line of its own"),
        ("CONFIG_NTP_SERVERS=pool.ntp.org ; a comment", "a comment needs a line of its own"),
        ("CONFIG_NTP_SERVERS=192.0.2.1;192.0.2.2", "separate hosts with commas"),
        ("CONFIG_NTP_SERVERS=192.0.2.1 ; 192.0.2.2", "separate hosts with commas"),
        ("CONFIG_NTP_SERVERS=192.0.2.1 192.0.2.2", "separate hosts with commas"),
        ("CONFIG_MARIADB_HOST=192.0.2.1;192.0.2.2", "write one name"),
        ("CONFIG_GLANCE_BACKEND='file'", "without quotation marks"),
        ('CONFIG_DEBUG_MODE="y"', "without quotation marks"),
        ('CONFIG_DEBUG_MODE="maybe"', "write y or n"),
        ("CONFIG_NEUTRON_ML2_TYPE_DRIVERS=vlan flat", "separate values with commas"),
    ],
)
def test_the_remedy_is_the_same_wherever_a_value_is_read(line: str, remedy: str) -> None:
    text = f"{START}{line}\nCONFIG_DEFAULT_PASSWORD=pw\n"
    (told,) = evaluate(parse_text(text, "old"), {}, catalogue()).problems
    (carried,) = carry(text, "old").lost
    with pytest.raises(InvalidAnswerFile) as refused:
        generate(overrides=dict([line.split("=", 1)]))
    assert remedy in told.remedy
    assert {carried.remedy, refused.value.problems[0].remedy} == {told.remedy}
