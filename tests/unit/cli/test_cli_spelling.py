"""Command lines as people write them."""

from pathlib import Path

import pytest
import yaml

from installer.cli.options import BARE_WORDS
from installer.cli.spelling import translate, without_secrets
from installer.errors import UsageError

CASES = yaml.safe_load(Path(__file__).with_name("spelling.yaml").read_text())
TAKES_VALUE = {"install": {"--answer-file", "--limit", "--set", "--hosts"}, "status": {"--run"}}


def translated(words: list[str]) -> list[str]:
    return translate(words, {verb: f"--{option}" for verb, option in BARE_WORDS.items()}, TAKES_VALUE, {"--name"})


@pytest.mark.parametrize(
    "case", [case for case in CASES if "becomes" in case], ids=lambda case: " ".join(case["words"])
)
def test_a_command_line_is_translated_to_pystacks_own_spelling(case):
    assert translated(case["words"]) == case["becomes"]


@pytest.mark.parametrize(
    "case", [case for case in CASES if "refused" in case], ids=lambda case: " ".join(case["words"])
)
def test_an_option_of_packstack_without_its_value_is_a_usage_error(case):
    with pytest.raises(UsageError, match=case["refused"]):
        translated(case["words"])


@pytest.mark.parametrize(
    "words",
    [
        ["install", "--set", "CONFIG_KEYSTONE_ADMIN_PW=hunter22"],
        ["install", "--set=CONFIG_KEYSTONE_ADMIN_PW=hunter22"],
        ["install", "--set", "config_amqp_auth_password=hunter22"],
        ["--allinone", "--default-password=hunter22"],
        ["--allinone", "--default-password", "hunter22"],
    ],
    ids=" ".join,
)
def test_a_secret_on_the_command_line_is_not_kept(words):
    kept = " ".join(without_secrets(words))
    assert "hunter22" not in kept
    assert "********" in kept


def test_what_is_no_secret_on_the_command_line_is_kept():
    words = ["install", "--answer-file=keys.txt", "--set", "CONFIG_DEBUG_MODE=y"]
    assert without_secrets(words) == words
