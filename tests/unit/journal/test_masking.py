from __future__ import annotations

from installer.masking import Masking, secrets_in
from installer.resources.secret import Secret


def test_the_password_of_a_proxy_or_an_index_is_masked_as_secrets_are() -> None:
    answers = {
        "CONFIG_PACKAGE_INDEX": "https://me:p%40ssword@index.example/simple",
        "CONFIG_NO_PROXY": ["localhost", "http://x:hidden@y"],
        "CONFIG_KEYSTONE_ADMIN_PW": Secret("admins"),
        "CONFIG_HTTP_PROXY": "http://proxy.example:3128",
        "CONFIG_NTP_SERVERS": None,
    }
    text = "https://me:p%40ssword@index.example p@ssword hidden admins http://proxy.example:3128"
    masked = Masking(secrets_in(answers)).text(text)
    assert masked == "https://me:********@index.example ******** ******** ******** http://proxy.example:3128"


def test_a_password_that_is_a_word_of_the_events_hides_nothing_of_their_structure() -> None:
    event = {"event": "step", "host": "host", "step": "keystone", "what": "failed", "lines": ["keystone host hosts"]}
    masked = Masking(["keystone", "host", "step", "event", "lines", "failed"]).data({**event, "more": [event]})
    told = {**event, "lines": ["******** ******** ********s"]}
    assert masked == {**told, "more": [told]}
