"""Configuration that stands on this host, read with patience: what is missing or damaged counts for nothing."""

from __future__ import annotations

import configparser
from typing import Iterable, Iterator


def text_of(path: str) -> str:
    """Return what a file holds; nothing if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def ini_files(texts: Iterable[str]) -> Iterator[configparser.RawConfigParser]:
    """Yield a parser for each text that can be parsed."""
    for text in texts:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(text)
        except configparser.Error:
            continue
        yield parser
