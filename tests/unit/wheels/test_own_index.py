"""Which index this machine's own uv or pip is told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from installer import own_index
from installer.own_index import Sources


def test_an_index_that_is_given_goes_before_everything(tmp_path: Path) -> None:
    (tmp_path / ".config/uv").mkdir(parents=True)
    (tmp_path / ".config/uv/uv.toml").write_text('index-url = "https://file.example.org/simple"\n')
    assert own_index.sources("https://given.example.org/simple", {}).indexes == ("https://given.example.org/simple",)
    assert own_index.sources("", {}).indexes == ("https://file.example.org/simple",)


def test_pips_index_is_used_where_uv_has_none(tmp_path: Path) -> None:
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip/pip.conf").write_text("[global]\nindex-url = https://file.example.org/simple\nproxy = http://p\n")
    assert own_index.pip({})["index-url"] == ["https://file.example.org/simple"]
    assert own_index.sources("", {}).proxy == "http://p"
    told = own_index.pip({"PIP_INDEX_URL": "https://env.example.org/simple", "PIP_FIND_LINKS": "/a /b"})
    assert told["index-url"] == ["https://env.example.org/simple"]
    assert told["find-links"] == ["/a", "/b"]


def test_without_any_configuration_it_is_the_index_that_uv_asks_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_index, "pip", lambda environment: {})
    monkeypatch.setattr(own_index, "uv_is_configured", lambda environment: False)
    (only,) = own_index.sources("", {}).indexes
    assert only == own_index.default_index()
    assert only is not None
    assert only.startswith("https://")


@pytest.mark.parametrize(
    ("text", "environment", "found"),
    [
        (
            'find-links = ["/w"]\nhttps-proxy = "http://p:1"\n[[index]]\nurl = "https://extra/simple"\n'
            '[[index]]\nurl = "https://main/simple"\ndefault = true\n'
            '[[index]]\nname = "x"\nurl = "https://x"\nexplicit = true\n',
            {},
            Sources("https://main/simple", ("https://extra/simple",), ("/w",), "http://p:1"),
        ),
        (
            'index-url = "https://file/simple"\nextra-index-url = ["https://extra/simple"]\n',
            {
                "UV_DEFAULT_INDEX": "https://env/simple",
                "UV_INDEX": "own=https://named/simple",
                "UV_FIND_LINKS": "/a,/b",
            },
            Sources("https://env/simple", ("https://extra/simple", "https://named/simple"), ("/a", "/b")),
        ),
    ],
)
def test_what_uv_is_told(text: str, environment: dict[str, str], found: Sources) -> None:
    assert own_index.parse_uv([text], environment) == found
