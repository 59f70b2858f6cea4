"""What a lab host takes over from the machine: package sources, package index, proxies, certificates."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from installer import own_index
from installer.lab import sources, trust
from installer.lab.places import LabRefused

HERE = Path(__file__).parent
SOURCES: list[dict[str, Any]] = yaml.safe_load((HERE / "lab_sources.yaml").read_text())
INDEXES: list[dict[str, Any]] = yaml.safe_load((HERE / "lab_index.yaml").read_text())


def titles(cases: list[dict[str, Any]]) -> list[str]:
    return [case["title"] for case in cases]


@pytest.mark.parametrize("case", SOURCES, ids=titles(SOURCES))
def test_a_lab_host_gets_the_mirrors_of_the_machine_with_its_own_suite(case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(case.get("list", ""))
    (tmp_path / "sources.list.d" / "machine.sources").write_text(case.get("sources", ""))
    (tmp_path / "sources.list.d" / "old.list.disabled").write_text("deb http://disabled.example/debian bookworm main")
    found = sources.read(tmp_path)
    if "refused" in case:
        with pytest.raises(LabRefused, match=case["refused"]):
            sources.sources_for("trixie", found)
    else:
        written = list(sources.parse_deb822(sources.sources_for("trixie", found)))
        assert [[source.uri, *source.suites] for source in written] == case["expected"]


def test_only_those_options_of_apt_travel_that_decide_whether_the_archive_is_reached() -> None:
    dump = (
        'Dir "/";\nAcquire::http::Proxy "http://proxy.example:3142";\nAcquire::https::Proxy::direct.example "DIRECT";\n'
        'Acquire::Check-Valid-Until "false";\nAcquire::Languages:: "none";\nAPT::Install-Recommends "0";\n'
        'Acquire::http::Proxy-Auto-Detect "/usr/local/bin/detect";\nAcquire::http::Proxy "";\n'
    )
    assert sources.parse_options(dump) == [
        'Acquire::http::Proxy "http://proxy.example:3142";',
        'Acquire::https::Proxy::direct.example "DIRECT";',
        'Acquire::Check-Valid-Until "false";',
    ]


@pytest.mark.parametrize("case", INDEXES, ids=titles(INDEXES))
def test_a_lab_host_gets_the_package_index_of_the_machine(case: dict[str, Any]) -> None:
    found = index_addresses(case.get("pip", []), case.get("uv", []), case.get("environment", {}))
    assert list(found) == case["expected"]


def index_addresses(pip: list[str], uv: list[str], environment: dict[str, str]) -> tuple[str | None, list[str]]:
    told_pip = own_index.pip_sources(own_index.parse_pip(pip, environment))
    return trust.index_addresses(own_index.parse_uv(uv, environment), told_pip)


def test_what_is_written_for_pip_and_uv_means_the_same_when_it_is_read_again() -> None:
    index, extra = "https://index.example/simple", ["https://one.example/simple", "https://two.example/simple"]
    assert index_addresses([trust.pip_conf(index, extra, True)], [], {}) == (index, extra)
    assert index_addresses([], [trust.uv_toml(index, extra, True)], {}) == (index, extra)


def test_a_host_that_needs_no_settings_of_pip_and_uv_gets_none() -> None:
    assert trust.pip_conf(None, [], False) == trust.uv_toml(None, [], False) == ""


def test_proxies_are_passed_on_and_the_lab_itself_is_reached_without_them() -> None:
    environment = {"https_proxy": "http://proxy.example:3128", "no_proxy": "intranet.example", "HOME": "/home/me"}
    proxies = trust.proxy_environment(environment, "10.91.0.0/24")
    assert proxies["https_proxy"] == "http://proxy.example:3128"
    assert proxies["no_proxy"] == proxies["NO_PROXY"] == "intranet.example,localhost,127.0.0.1,.lab,10.91.0.0/24"
    assert "HOME" not in proxies


def test_without_a_proxy_nothing_is_said_about_proxies() -> None:
    assert trust.proxy_environment({"no_proxy": "intranet.example"}, "10.91.0.0/24") == {}


def certificate(content: str, newline: str = "\n") -> str:
    return newline.join(["-----BEGIN CERTIFICATE-----", content, "-----END CERTIFICATE-----", ""])


def test_only_authorities_that_the_distribution_does_not_ship_are_passed_on() -> None:
    bundle = certificate("AAAA") + certificate("OWN1") + "some text\n" + certificate("BBBB") + certificate("OWN2")
    own = trust.own_authorities(bundle, [certificate("AAAA", "\r\n"), certificate("BBBB")])
    assert sorted(own.values()) == sorted([certificate("OWN1"), certificate("OWN2")])
    assert trust.own_authorities(certificate("OWN1"), []).items() <= own.items()
