"""The catalogue: complete, consistent, and the page made from it is the one in docs/."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.answers import Status, catalogue
from installer.answers.catalogue import GIVEN, load_catalogue
from installer.answers.problem import SECRET_NAME
from installer.answers.reference import DOCUMENT, describe, reference
from installer.errors import InternalError

PACKSTACK = Path(__file__).parents[4] / "shared" / "packstack"


#: What pystack can do beyond Packstack.
ADDED = {"CONFIG_GLANCE_BACKEND": {"ceph"}}


def packstack(name: str) -> Any:
    if not PACKSTACK.is_dir():
        pytest.skip("the collected facts about Packstack are not on this machine")
    return yaml.safe_load((PACKSTACK / name).read_text(encoding="utf-8"))


def test_every_parameter_of_packstack_26_is_known_with_its_aliases_and_secrecy() -> None:
    declared = packstack("parameters.yaml")["parameters"]
    known = catalogue()
    assert len(declared) == 292
    for parameter in declared:
        ours = known[parameter["conf_name"]]
        assert ours.is_secret == parameter["secret"], ours.name
        assert set(ours.aliases) == set(parameter.get("deprecated_aliases", ())), ours.name
        assert {choice.lower() for choice in getattr(ours.type, "choices", ())} <= {
            str(choice).lower() for choice in parameter.get("allowed", getattr(ours.type, "choices", ()))
        } | ADDED.get(ours.name, set()), ours.name


def test_every_retired_parameter_has_a_sentence_or_is_an_alias() -> None:
    known = catalogue()
    retired = packstack("retired-keys.yaml")["retired"]
    assert len(retired) == 143
    for key in retired:
        if key["alias_of_in_26"]:
            assert known.aliases[key["key"]] == key["alias_of_in_26"]
        else:
            assert known.retired[key["key"]].sentence


def test_retired_names_lead_to_parameters_and_none_is_known_twice() -> None:
    known = catalogue()
    for retired in known.retired.values():
        assert retired.name not in known
        assert retired.name not in known.aliases
        assert not retired.now or retired.now in known
        assert "{" not in retired.sentence
    assert not [alias for alias in known.aliases if alias in known]


def test_the_name_of_every_secret_tells_that_it_is_one() -> None:
    assert [p.name for p in catalogue() if p.is_secret and not SECRET_NAME.search(p.name)] == []


def test_every_parameter_that_does_nothing_says_why() -> None:
    for parameter in catalogue():
        assert parameter.doc.endswith("."), parameter.name
        assert bool(parameter.note) == (parameter.status is not Status.SUPPORTED), parameter.name


def test_conditions_name_values_that_the_other_parameter_can_have() -> None:
    known = catalogue()
    for parameter in known:
        for other, texts in parameter.when.items():
            for text in texts:
                assert text == GIVEN or known[other].canonical(text) == text.lower(), parameter.name


def test_the_reference_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == reference(), "run python -m installer.answers.reference"


def test_the_reference_has_every_name() -> None:
    page = reference()
    known = catalogue()
    for name in [*(parameter.name for parameter in known), *known.aliases, *known.retired]:
        assert f"`{name}`" in page


def test_a_parameter_is_described_by_any_of_its_names() -> None:
    assert describe("config_mysql_host") == describe("CONFIG_MARIADB_HOST")
    assert "default: that of CONFIG_CONTROLLER_HOST" in describe("CONFIG_MARIADB_HOST")
    assert "not done yet" in describe("CONFIG_SWIFT_INSTALL")
    with pytest.raises(KeyError):
        describe("CONFIG_COLOUR")


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ("{type: colour, doc: X.}", "colour"),
        ("{type: text}", "doc"),
        ("{type: port, default: 0, doc: X.}", "out of range"),
        ("{type: text, colour: red, doc: X.}", "colour"),
        ("{type: text, doc: X., when: {CONFIG_B: y}}", "CONFIG_B"),
        ("{type: text, doc: X., status: later}", "note"),
    ],
)
def test_a_wrong_declaration_is_found_when_the_catalogue_is_loaded(tmp_path: Path, declared: str, says: str) -> None:
    text = f"position: 1\nsections:\n- title: T\n  parameters:\n    CONFIG_A: {declared}\n"
    (tmp_path / "topic.yaml").write_text(text)
    (tmp_path / "retired.yaml").write_text("[]")
    with pytest.raises(InternalError, match=says):
        load_catalogue(tmp_path)
