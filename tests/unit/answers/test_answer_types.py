"""What each type reads and refuses, case by case in types.yaml."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.answers.plain_types import SecretText, Size, Type
from installer.answers.shown import ValueProblem, shown
from installer.answers.types import make

# The base loader takes every scalar for text, as an answer file does: yes, 0x10 and 1e3 stay what they look like.
CASES = yaml.load(Path(__file__).with_name("types.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def a_type(title: str) -> Type:
    details = CASES[title].get("details", {})
    bounds = {name: int(details[name]) for name in ("minimum", "maximum") if name in details}
    return make(CASES[title].get("type", title), **{**details, **bounds})


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(title, text, outcome, id=f"{title}: {shown(text)}")
        for title, case in CASES.items()
        for text, outcome in case[kind].items()
    ]


@pytest.mark.parametrize(("title", "text", "written"), cases("accepts"))
def test_a_value_is_read_and_written_back(title: str, text: str, written: str) -> None:
    kind = a_type(title)
    value = kind.parse(text)
    assert kind.format(value) == written
    assert kind.parse(written) == value


@pytest.mark.parametrize(("title", "text", "says"), cases("refuses"))
def test_a_text_that_is_no_value_is_refused_with_a_remedy(title: str, text: str, says: str) -> None:
    with pytest.raises(ValueProblem) as caught:
        a_type(title).parse(text)
    told = f"{caught.value.message}; {caught.value.remedy}"
    assert any(part in told for part in says.split("|")), told
    assert caught.value.remedy


def test_every_type_has_cases() -> None:
    from installer.answers.types import NAMED, PLURALS

    assert {*NAMED, "list", "hosts", "networks"} <= set(CASES)
    assert {PLURALS[name] for name in PLURALS} <= set(NAMED)


def test_a_secret_hides_itself() -> None:
    value = SecretText().parse("hunter2")
    assert "hunter2" not in f"{value}{value!r}"
    assert value.reveal() == "hunter2"


def test_a_size_is_read_in_bytes() -> None:
    assert Size().parse("20G") == 20 * 1024**3


def test_a_message_never_carries_terminal_control_characters() -> None:
    assert shown("\x1b[31m\n" + "x" * 100) == "'·[31m·" + "x" * 54 + "…'"
