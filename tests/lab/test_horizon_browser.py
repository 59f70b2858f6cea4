"""The dashboard in a real browser: the administrator makes a volume from an image, an instance from it, and looks at
its console."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from installer.platforms import facts, find
from tests.lab.browser import PATIENCE, Browser, chromium, pictures
from tests.lab.conftest import AllInOne
from tests.lab.instances import connected
from tests.lab.sdk import QUIET

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("dashboard-browser"),
    pytest.mark.long,
    pytest.mark.timeout(2400),
    QUIET,
]

#: What the test makes; the network is the project's own, because that of the demo project is not for the administrator.
VOLUME, INSTANCE, NETWORK = "t-browser-volume", "t-browser-instance", "t-browser-network"
#: Copying an image and starting an instance on a machine that is busy with other hosts takes minutes.
SLOW = 300
SCREEN = {"width": 1400, "height": 900}


@pytest.fixture(scope="module")
def connection(all_in_one: AllInOne) -> Iterator[Any]:
    """The administrator's, for what the browser is not there for; all that the test made is gone in the end."""
    with connected(all_in_one.clouds.parent, "pystack") as found:
        yield found
        remove(found)


@pytest.fixture(scope="module")
def network(connection: Any) -> str:
    """A network of the administrator's project."""
    made = connection.network.create_network(name=NETWORK)
    connection.network.create_subnet(name=NETWORK, network_id=made.id, ip_version=4, cidr="192.168.77.0/24")
    return NETWORK


def remove(connection: Any) -> None:
    """Remove instances, volumes and networks that the test made, in whichever state."""
    for server in list(connection.compute.servers(name=f"^{INSTANCE}$")):
        connection.compute.delete_server(server)
        connection.compute.wait_for_delete(server, wait=SLOW)
    for volume in list(connection.block_storage.volumes(name=VOLUME)):
        connection.block_storage.delete_volume(volume)
        connection.block_storage.wait_for_delete(volume, wait=SLOW)
    for network in list(connection.network.networks(name=NETWORK)):
        connection.network.delete_network(network)


@pytest.fixture(scope="module")
def browser(
    all_in_one: AllInOne, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Browser]:
    """A browser in which the administrator has logged in."""
    folder = pictures(tmp_path_factory.mktemp("screenshots"))
    with chromium(tmp_path_factory.mktemp("browser"), all_in_one.authority) as program:
        found = Browser(program.new_page(viewport=SCREEN), f"https://{all_in_one.controller.address}", folder)
        log_in(found, all_in_one)
        yield found
    # Said whether or not the output of tests is shown.
    reporter: Any = request.config.pluginmanager.get_plugin("terminalreporter")
    reporter.write_line(f"\nscreenshots: {folder}")


def log_in(browser: Browser, cloud: AllInOne) -> None:
    page = browser.page
    browser.open(f"http://{cloud.controller.address}/")
    assert page.url.startswith(f"{browser.origin}/dashboard/auth/login/")
    page.fill("#id_domain", "Default")
    page.fill("#id_username", "admin")
    page.fill("#id_password", cloud.password)
    browser.picture("login")
    page.click("#loginBtn")
    page.wait_for_selector("text=Limit Summary")
    browser.picture("overview")


def open_page(browser: Browser, path: str) -> None:
    browser.open(f"{browser.origin}/dashboard/{path}")


@pytest.fixture
def no_faults(browser: Browser) -> Iterator[None]:
    """Nothing went wrong on the pages that the test opened."""
    browser.faults.clear()
    yield
    assert not browser.faults, "\n".join(browser.faults)


def test_a_browser_that_does_not_trust_the_clouds_authority_refuses_the_dashboard(
    all_in_one: AllInOne, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with chromium(tmp_path_factory.mktemp("stranger"), None) as program:
        page = program.new_page()
        with pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto(f"https://{all_in_one.controller.address}/")


@pytest.mark.shows("instances")
def test_the_admin_makes_a_volume_from_an_image_launches_an_instance_from_it_and_sees_its_console(
    all_in_one: AllInOne, browser: Browser, network: str, no_faults: None
) -> None:
    make_volume(browser)
    launch(browser, network)
    instance = wait_until_it_runs(browser)
    # Of Enterprise Linux only EPEL has the pages that show it.
    if facts(find(all_in_one.controller.platform), "nova")["novnc"]:
        look_at_the_console(browser, instance)
    else:
        no_console_is_offered(browser, instance)


def make_volume(browser: Browser) -> None:
    page = browser.page
    open_page(browser, "project/volumes/")
    page.click("#volumes__action_create")
    page.fill("#id_name", VOLUME)
    choose(browser, "#id_volume_source_type", "Image")
    choose(browser, "#id_image_source", "pystack-test")
    browser.picture("volume-form")
    page.click(".modal input[type=submit]")
    row = page.locator("#volumes tr", has_text=VOLUME)
    row.wait_for()
    browser.picture("volume-in-the-making")
    browser.until(lambda: "Available" in row.inner_text(), "available volume", SLOW)
    assert re.search(r"\bYes\b", row.inner_text()), "not bootable"
    browser.picture("volume")


def choose(browser: Browser, field: str, text: str) -> None:
    """Choose from a list; the dashboard hides the browser's own one and shows its own."""
    shown = browser.page.locator(".themable-select", has=browser.page.locator(field))
    shown.locator("button").click()
    shown.locator("li a", has_text=text).click()


def launch(browser: Browser, network: str) -> None:
    page = browser.page
    open_page(browser, "project/instances/")
    page.click("#instances__action_launch-ng")
    step = page.locator("wizard .step:visible")
    # Kinds of sources that answer later than others would undo a choice that was made before.
    page.wait_for_load_state("networkidle")
    step.locator("input[name=name]").fill(INSTANCE)
    browser.picture("launch-details")
    page.click("wizard .wizard-nav a:has-text('Source')")
    step.locator("#boot-source-type").select_option(label="Volume")
    take(browser, VOLUME)
    browser.picture("launch-source")
    page.click("wizard .wizard-nav a:has-text('Flavor')")
    take(browser, "m1.tiny")
    browser.picture("launch-flavor")
    page.click("wizard .wizard-nav span:text-is('Networks')")
    take(browser, network)
    browser.picture("launch-network")
    page.click("wizard .wizard-nav a:has-text('Metadata')")
    browser.picture("launch-metadata")
    page.click("wizard button.finish")
    page.locator("#instances tr", has_text=INSTANCE).wait_for()
    browser.picture("instance-in-the-making")


def take(browser: Browser, name: str) -> None:
    """Move a row of the step that is shown from what there is to what is taken."""
    sections = browser.page.locator("wizard .step:visible .transfer-section")
    sections.nth(1).locator("tr", has_text=name).locator("button").first.click()
    sections.nth(0).locator("tr", has_text=name).wait_for()


def wait_until_it_runs(browser: Browser) -> str:
    """Wait at the list of instances, and return the path of the instance's own page."""
    row = browser.page.locator("#instances tr", has_text=INSTANCE)
    browser.until(lambda: "Running" in row.inner_text() or "Error" in row.inner_text(), "running instance", SLOW)
    browser.picture("instance")
    assert "Running" in row.inner_text()
    return str(row.locator("a", has_text=INSTANCE).get_attribute("href"))


def no_console_is_offered(browser: Browser, instance: str) -> None:
    page = browser.page
    browser.open(f"{browser.origin}{instance}")
    tabs = page.locator("a[data-toggle=tab]")
    tabs.first.wait_for()
    browser.picture("no-console")
    names = [text.strip() for text in tabs.all_inner_texts()]
    assert "Log" in names
    assert "Console" not in names


def look_at_the_console(browser: Browser, instance: str) -> None:
    page = browser.page
    browser.websockets.clear()
    browser.open(f"{browser.origin}{instance}?tab=instance_details__console")
    frame = page.frame_locator("#console_embed")
    status = frame.locator("#status")
    browser.until(lambda: status.inner_text().startswith("Connected"), "connection to the console", PATIENCE)
    canvas = frame.locator("#screen canvas")
    browser.until(lambda: colours(canvas) > 1, "text on the console", SLOW)
    browser.picture("console")
    link = browser.websockets[-1]
    assert link.url.startswith(browser.origin.replace("https", "wss") + ":6080/")
    assert not link.is_closed()
    page.click("text=Click here to show only console")
    browser.until(lambda: page.inner_text("#status").startswith("Connected"), "connection to the console", PATIENCE)
    browser.until(lambda: colours(page.locator("#screen canvas")) > 1, "text on the console", SLOW)
    browser.picture("console-alone")


def colours(canvas: Any) -> int:
    """Return how many colours a canvas shows: one where nothing has been drawn."""
    pixels = "one.getContext('2d').getImageData(0, 0, one.width, one.height).data.buffer"
    return int(canvas.evaluate(f"one => new Set(new Uint32Array({pixels})).size"))


def test_every_page_of_the_menu_opens_without_a_fault(browser: Browser, no_faults: None) -> None:
    open_page(browser, "project/")
    menu = browser.page.locator("#sidebar-accordion a[href^='/dashboard/']")
    paths = sorted(set(menu.evaluate_all("all => all.map(one => one.getAttribute('href'))")))
    assert len(paths) > 30
    for path in paths:
        browser.open(f"{browser.origin}{path}")
        browser.page.wait_for_load_state("networkidle")
        browser.picture(path.removeprefix("/dashboard/").strip("/").replace("/", "-"))
