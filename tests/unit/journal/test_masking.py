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


def test_a_secret_inside_of_options_is_masked_and_what_is_no_secret_is_not() -> None:
    options = (
        "[gold]\nsan_ip=192.0.2.50\nsan_password=hid den=\nssl_cert_verify=false\npure_api_token = t0ken\n[b]\nx_key=1"
    )
    masking = Masking(secrets_in({"CONFIG_CINDER_BACKEND_OPTIONS": Secret(options)}))
    assert masking.text("192.0.2.50 hid den= false t0ken 1") == "192.0.2.50 ******** false ******** 1"


def test_a_password_that_is_a_word_of_the_events_hides_nothing_of_their_structure() -> None:
    event = {"event": "step", "host": "host", "step": "keystone", "what": "failed", "lines": ["keystone host hosts"]}
    masked = Masking(["keystone", "host", "step", "event", "lines", "failed"]).data({**event, "more": [event]})
    told = {**event, "lines": ["******** ******** ********s"]}
    assert masked == {**told, "more": [told]}
