"""What is planned for each platform is what was read and found right; the files are in plans/."""

from __future__ import annotations

import difflib

import pytest

from installer.platforms import Platform
from tests.unit.roles import golden


@pytest.mark.parametrize("platform", golden.platforms(), ids=lambda platform: platform.file)
def test_the_plan_is_the_one_that_was_read(platform: Platform) -> None:
    path = golden.FOLDER / f"{platform.file}.txt"
    kept, now = path.read_text() if path.exists() else "", golden.text(platform)
    difference = "".join(difflib.unified_diff(kept.splitlines(True), now.splitlines(True), "kept", "now", n=1))
    assert not difference, f"{difference}\nIf that is meant: {golden.COMMAND}, then read what git diff shows."


def test_there_is_no_plan_of_a_platform_that_is_gone() -> None:
    assert {path.stem for path in golden.FOLDER.iterdir()} == {platform.file for platform in golden.platforms()}


def test_the_plan_of_several_releases_is_of_one_that_was_seen() -> None:
    assert {platform.name for platform in golden.platforms() if platform.file == "fedora"} == {"fedora-43"}
    assert {platform.name for platform in golden.platforms() if platform.file == "ubuntu2404"} == {"ubuntu-24.04"}
