"""The dashboard, over TLS, by plain requests; test_horizon_browser.py opens it in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.lab.conftest import AllInOne

pytestmark = [pytest.mark.lab, pytest.mark.shows("dashboard"), pytest.mark.timeout(2400)]

#: A page of a busy machine takes its time, the first after a start most of all.
PATIENCE = 60
PAGES = {
    "project/": "Overview",
    "project/instances/": "Instances",
    "project/volumes/": "Volumes",
    "project/snapshots/": "Volume Snapshots",
    "project/backups/": "Volume Backups",
    "project/images/": "Images",
    "project/network_topology/": "Network Topology",
    "admin/volume_types/": "Volume Types",
    "identity/": "Projects",
}


class Visitor:
    """Somebody at the dashboard who keeps cookies and trusts the cloud's authority alone."""

    def __init__(self, cloud: AllInOne) -> None:
        self.origin = f"https://{cloud.controller.address}"
        self.session = requests.Session()
        # The environment's own authorities would win over these.
        self.session.trust_env = False
        self.session.verify = str(cloud.authority)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(f"{self.origin}{path}", timeout=PATIENCE, **options)

    def log_in(self, user: str, password: str) -> requests.Response:
        form = self.get("/dashboard/auth/login/").text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)', form)
        assert token, form[:2000]
        fields = {
            "csrfmiddlewaretoken": token.group(1),
            "username": user,
            "password": password,
            "domain": "Default",
            "region": "default",
        }
        address = f"{self.origin}/dashboard/auth/login/"
        headers = {"Referer": address, "Origin": self.origin}
        return self.session.post(address, data=fields, headers=headers, timeout=PATIENCE, allow_redirects=False)


@pytest.fixture
def visitor(all_in_one: AllInOne) -> Iterator[Visitor]:
    made = Visitor(all_in_one)
    yield made
    made.session.close()


@pytest.mark.parametrize(
    ("scheme", "path", "target"),
    [
        ("http", "/", "https://{host}/"),
        ("http", "/dashboard/x", "https://{host}/dashboard/x"),
        ("https", "/", "/dashboard/"),
        ("https", "/dashboard/", "https://{host}/dashboard/auth/login/?next=/dashboard/"),
    ],
)
def test_who_comes_by_any_way_is_led_to_the_login_over_tls(
    visitor: Visitor, all_in_one: AllInOne, scheme: str, path: str, target: str
) -> None:
    address = f"{scheme}://{all_in_one.controller.address}{path}"
    answer = visitor.session.get(address, allow_redirects=False, timeout=PATIENCE)
    assert answer.status_code in (301, 302)
    assert answer.headers["Location"] == target.format(host=all_in_one.controller.address)


def test_style_sheets_scripts_and_pictures_are_there(visitor: Visitor) -> None:
    page = visitor.get("/dashboard/auth/login/").text
    files = set(re.findall(r'"(/dashboard/static/[^"]+)"', page))
    assert {Path(name).suffix for name in files} >= {".css", ".js"}
    for name in files:
        answer = visitor.get(name)
        assert answer.status_code == 200, name
        assert answer.content, name


def test_cookies_never_travel_in_clear(visitor: Visitor, all_in_one: AllInOne) -> None:
    visitor.log_in("admin", all_in_one.password)
    cookies = {cookie.name: cookie for cookie in visitor.session.cookies}
    assert {"csrftoken", "sessionid"} <= set(cookies)
    assert all(cookie.secure for name, cookie in cookies.items() if name in ("csrftoken", "sessionid"))


def test_a_wrong_password_is_refused(visitor: Visitor) -> None:
    answer = visitor.log_in("admin", "wrong")
    assert answer.status_code == 200
    assert "Invalid credentials" in answer.text
    assert visitor.get("/dashboard/project/", allow_redirects=False).status_code == 302


def test_the_admin_logs_in_and_every_page_opens(visitor: Visitor, all_in_one: AllInOne) -> None:
    assert visitor.log_in("admin", all_in_one.password).headers["Location"] == "/dashboard/"
    for path, title in PAGES.items():
        page = visitor.get(f"/dashboard/{path}")
        assert page.status_code == 200, path
        assert re.search(rf"<title>\s*{title} - ", page.text), (path, re.findall(r"<title>[^<]*", page.text))


def test_the_journal_names_the_client_and_not_haproxy(visitor: Visitor, all_in_one: AllInOne) -> None:
    visitor.log_in("nobody", "wrong")
    words = ["journalctl", "-u", "openstack-horizon", "-o", "cat", "--no-pager", "--lines=200"]
    lines = [line for line in all_in_one.controller.run(words).stdout.splitlines() if '"nobody"' in line]
    assert lines
    assert all("remote address" in line and "127.0.0.1" not in line for line in lines), lines


def test_the_settings_are_closed_to_others(all_in_one: AllInOne) -> None:
    words = ["find", "/etc/openstack-dashboard", "-name", "*.py", "-printf", "%m %u %g\n"]
    assert all_in_one.controller.run(words).stdout.splitlines() == ["640 root horizon"]
    compiled = ["find", "/opt/pystack", "-name", "local_settings.*.pyc"]
    assert all_in_one.controller.run(compiled).stdout == ""


@pytest.mark.shows("own-settings")
def test_the_operators_own_settings_win(visitor: Visitor, all_in_one: AllInOne) -> None:
    host, path = all_in_one.controller, "/etc/openstack-dashboard/local_settings.d/site.py"
    host.run(f"""printf 'SITE_BRANDING = "Our own cloud"\\n' > {path}""", check=True)
    try:
        again = all_in_one.operator.run("install", f"--answer-file={all_in_one.answer_file}", "--json")
        changed = [event["resource"] for event in again.events if event.get("what") == "changed"]
        assert "unit:openstack-horizon.service" in changed
        assert "Our own cloud" in visitor.get("/dashboard/auth/login/").text
    finally:
        host.run(["rm", path], check=True)
        all_in_one.operator.run("install", f"--answer-file={all_in_one.answer_file}")
