from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installer.errors import AnswerFileError
from installer.resources.secret import Secret
from installer.urls import dashboard_url, database_url, queue_url

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(TEXT, TEXT, TEXT)
def test_pymysql_makes_the_bytes_that_the_server_hashed(user: str, password: str, database: str) -> None:
    url = urlsplit(database_url(user, Secret(password), "db.example.org", database).reveal())
    assert unquote(url.username or "") == user
    assert unquote(url.password or "").encode("latin-1") == password.encode()
    assert unquote(url.path[1:]) == database


@given(TEXT, TEXT)
def test_an_address_holds_nothing_that_a_configuration_file_reads_otherwise(user: str, password: str) -> None:
    url = database_url(user, Secret(password), "db.example.org", "nova").reveal()
    assert url.isascii()
    assert not set(url) & set(" \t\n\r$\"'#;\\{}")


def test_an_ipv6_host_stands_in_brackets() -> None:
    assert "@[2001:db8::1]:3306/" in database_url("u", Secret("p"), "2001:db8::1", "d").reveal()
    assert queue_url("u", Secret("p"), ["2001:db8::1", "h"]).reveal() == "rabbit://u:p@[2001:db8::1]:5672,u:p@h:5672/"


def test_a_virtual_host_is_the_path() -> None:
    assert queue_url("u", Secret("p@"), ["h"], vhost="a/b").reveal() == "rabbit://u:p%40@h:5672/a%2Fb"


@pytest.mark.parametrize(("user", "password"), [("a/b", "p"), ("u", "p/w")])
def test_a_slash_that_oslo_messaging_cannot_hand_on_is_refused(user: str, password: str) -> None:
    with pytest.raises(AnswerFileError, match="slash"):
        queue_url(user, Secret(password), ["h"])


@pytest.mark.parametrize(
    ("controller", "url"),
    [
        ("cloud.example.org", "https://cloud.example.org/dashboard/"),
        ("2001:db8::1", "https://[2001:db8::1]/dashboard/"),
    ],
)
def test_the_dashboard_is_at_the_controllers_address_without_a_port(controller: str, url: str) -> None:
    assert dashboard_url({"CONFIG_CONTROLLER_HOST": controller}) == url
