"""What of a secret nobody may see."""

import pytest

from installer.resources.secret import Secret, hidden_in, unseen

URL = "https://"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("an ordinary password", ["an ordinary password"]),
        (f"{URL}mirror.example.org/simple", []),
        (f"{URL}me:p%40ss@mirror.example.org/simple", ["p%40ss", "p@ss"]),
        (f"{URL}token@mirror.example.org/", ["token"]),
        (f"{URL}me:with@sign@mirror.example.org", ["with@sign"]),
        ("rabbit://nova:one@h1:5672,nova:one@h2:5672/", ["one@h1:5672,nova:one", "one"]),
        (f"{URL}mirror.example.org is not an address", [f"{URL}mirror.example.org is not an address"]),
        ("", [""]),
    ],
)
def test_of_an_address_only_its_password_is_hidden_of_other_secrets_all(text: str, hidden: list[str]) -> None:
    assert sorted(unseen(Secret(text))) == sorted(hidden)


def test_every_address_in_a_text_is_looked_at() -> None:
    assert hidden_in(f"not {URL}a:b@c but {URL}d:e@f") == ["b", "e"]
