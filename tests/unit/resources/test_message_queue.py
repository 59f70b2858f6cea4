from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.agent.host import CommandFailed
from installer.resources import amqp, message_queue
from installer.resources.base import Unknown
from installer.resources.message_queue import QueueAccount, definitions, password_hash, program, state_of_refusal
from installer.resources.secret import Secret
from tests.unit.resources.fake_host import FakeHost

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "amqp.yaml").read_text())


def title(case: dict[str, Any]) -> str:
    return str(case.get("title") or case.get("text") or case.get("password"))


@pytest.mark.parametrize("case", CASES["method"], ids=title)
def test_a_method_is_read_from_its_frame(case: dict[str, Any]) -> None:
    method = amqp.read_method(io.BytesIO(bytes.fromhex(case["bytes"])).read)
    assert method == (tuple(case["id"]), bytes.fromhex(case["arguments"]))


@pytest.mark.parametrize("case", CASES["not_amqp"], ids=title)
def test_what_is_not_amqp_is_told(case: dict[str, Any]) -> None:
    with pytest.raises(amqp.NotAmqp, match=case["why"]):
        amqp.read_method(io.BytesIO(bytes.fromhex(case["bytes"])).read)


@pytest.mark.parametrize("case", CASES["frame"], ids=title)
def test_a_method_becomes_a_frame(case: dict[str, Any]) -> None:
    method = amqp.Method(tuple(case["id"]), bytes.fromhex(case["arguments"]))
    assert amqp.frame(method) == bytes.fromhex(case["bytes"])


def test_a_login_holds_user_and_password_as_they_are() -> None:
    arguments = amqp.start_ok("user☃", "pass\0w\nord☃").arguments
    response = b"\0user\xe2\x98\x83\0pass\0w\nord\xe2\x98\x83"
    assert arguments.endswith(b"\x05PLAIN" + len(response).to_bytes(4, "big") + response + b"\x05en_US")
    # The table of properties is as long as it says.
    assert int.from_bytes(arguments[:4], "big") == len(arguments) - 4 - len(response) - 4 - 6 - 6


def test_a_name_longer_than_amqp_can_say_is_refused() -> None:
    with pytest.raises(ValueError, match="256 bytes"):
        amqp.short("x" * 256)


@pytest.mark.parametrize("case", CASES["refusal"], ids=title)
def test_what_a_refusal_means(case: dict[str, Any]) -> None:
    text = case["text"].encode()
    arguments = case["code"].to_bytes(2, "big") + bytes([len(text)]) + text + b"\0\0\0\0"
    refused = amqp.refusal(amqp.Method(amqp.CLOSE, arguments))
    assert (refused.code, refused.text) == (case["code"], case["text"])
    state = state_of_refusal(refused, "v")
    if "unknown" in case:
        assert isinstance(state, Unknown)
        assert case["unknown"] in state.reason
    else:
        assert state == case["state"]


@pytest.mark.parametrize("case", CASES["password_hash"], ids=title)
def test_a_password_is_hashed_as_rabbitmq_does(case: dict[str, str]) -> None:
    assert password_hash(case["password"], bytes.fromhex(case["salt"])) == case["hash"]


def test_accounts_become_definitions_without_a_password() -> None:
    accounts = [QueueAccount("a'b\"☃", Secret("pw"), "v/1", ("administrator",)), QueueAccount("b", Secret("pw2"))]
    found = definitions(accounts, b"salt")
    assert [user["name"] for user in found["users"]] == ["a'b\"☃", "b"]
    assert found["vhosts"] == [{"name": "/"}, {"name": "v/1"}]
    assert [permission["vhost"] for permission in found["permissions"]] == ["v/1", "/"]
    assert "pw" not in json.dumps(found).replace("password", "")


def test_the_program_is_made_of_numbers_where_texts_are() -> None:
    text = program([QueueAccount('>>, halt(). "', Secret('"'))])
    (numbers,) = re.fullmatch(r"ok = rabbit_definitions:import_raw\(<<([\d,]+)>>\), ok\.", text).groups()  # type: ignore[union-attr]
    assert json.loads(bytes(map(int, numbers.split(","))))["users"][0]["name"] == '>>, halt(). "'


def test_an_account_that_must_be_absent_is_deleted_if_it_is_there() -> None:
    text = program([QueueAccount("guest", absent=True)])
    assert "delete_user(<<103,117,101,115,116>>" in text
    assert "import_raw" not in text


def test_all_accounts_are_set_by_one_command_with_nothing_in_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    # The wait for the server needs one; a lab test has it.
    monkeypatch.setattr(message_queue, "_wait_for_server", lambda account: None)
    host = FakeHost({"rabbitmqctl eval": "ok\n"})
    QueueAccount.fix_all([(QueueAccount("a", Secret("x")), None), (QueueAccount("b", Secret("y")), None)], host)
    assert host.ran == ["rabbitmqctl eval"]
    assert host.given[0]["user"] == "rabbitmq"


def test_an_error_that_rabbitmqctl_calls_a_success_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_queue, "_wait_for_server", lambda account: None)
    with pytest.raises(CommandFailed, match="could not set the accounts"):
        QueueAccount.fix_all([(QueueAccount("a", Secret("x")), None)], FakeHost({"rabbitmqctl": "{error,not_json}"}))


def test_a_server_that_does_not_listen_is_not_known() -> None:
    (state,) = QueueAccount.query([QueueAccount("a", Secret("x"), port=1)], FakeHost()).values()
    assert isinstance(state, Unknown)
    assert state.reason.startswith("rabbitmq does not answer on 127.0.0.1:1 yet")
