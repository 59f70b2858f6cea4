"""The dashboard's settings are Python that says what the answer file says, and static files are made once."""

from __future__ import annotations

import pytest

from installer.resources.command import Command
from installer.resources.file import File, Symlink
from installer.resources.secret import Secret
from installer.resources.unit import Unit
from roles.horizon.role import MANIFEST, SETTINGS
from tests.unit.roles.test_roles import cloud_of, content_of, resources_of

NASTY = "'\"\\{{x}}#%\n\tü€語 ''' \"\"\""


def settings_of(cloud):
    values = {}
    exec(content_of(cloud, SETTINGS), values)
    return values


def static_files(cloud):
    return [item for item in resources_of(cloud, role="horizon") if isinstance(item, Command)]


def test_the_settings_are_python_and_say_what_the_answer_file_says():
    values = settings_of(cloud_of(CONFIG_CONTROLLER_HOST="cloud.example.org"))
    assert values["OPENSTACK_KEYSTONE_URL"] == "https://cloud.example.org:5000/v3"
    assert values["SECRET_KEY"].startswith("hidden")
    assert values["SESSION_COOKIE_SECURE"] is True
    assert values["CSRF_COOKIE_SECURE"] is True
    assert values["CACHES"]["default"]["LOCATION"] == "127.0.0.1:11211"


def test_a_secret_key_of_any_characters_is_read_back_as_it_is():
    from installer.render import render

    context = dict.fromkeys(
        ("webroot", "memcached", "identity", "authorities", "consoles", "backups", "static", "level", "additions"), ""
    )
    values = {}
    made = render("horizon/local_settings.py.j2", secret_key=Secret(NASTY), **context)
    exec(made.content, values)
    assert values["SECRET_KEY"] == NASTY
    assert Secret(repr(NASTY)) in made.secrets


@pytest.mark.parametrize(("backup", "shown"), [("", False), ("posix", True)])
def test_the_page_of_backups_is_there_if_there_are_backups(backup, shown):
    cloud = cloud_of(CONFIG_CINDER_BACKUP=backup)
    assert settings_of(cloud)["OPENSTACK_CINDER_FEATURES"]["enable_backup"] is shown


@pytest.mark.parametrize(("platform", "shown"), [("el-9", False), ("el-10", False), ("fedora-43", True)])
def test_an_instances_console_is_offered_where_there_are_pages_that_show_it(platform, shown):
    assert settings_of(cloud_of(platform=platform)).get("CONSOLE_TYPE", "AUTO") == ("AUTO" if shown else None)


def test_the_settings_are_closed_to_others_and_found_inside_horizons_package():
    resources = resources_of(cloud_of(), role="horizon")
    (file,) = [item for item in resources if isinstance(item, File) and item.path == SETTINGS]
    assert (file.owner, file.group, file.mode) == ("root", "horizon", 0o640)
    (link,) = [item for item in resources if isinstance(item, Symlink)]
    assert link.target == SETTINGS
    assert link.path == "/opt/pystack/2026.2/lib/python3.13/site-packages/openstack_dashboard/local/local_settings.py"


def test_static_files_are_made_anew_for_another_release_but_not_for_another_secret():
    first, same = static_files(cloud_of()), static_files(cloud_of(CONFIG_HORIZON_SECRET_KEY="another"))
    other = static_files(cloud_of(CONFIG_OPENSTACK_RELEASE="2026.1"))
    assert [item.stamp for item in first] == [item.stamp for item in same]
    assert not {item.stamp for item in first} & {item.stamp for item in other}
    assert {item.user for item in first} == {"horizon"}


def test_the_dashboard_restarts_for_its_settings_and_for_new_static_files():
    (unit,) = [item for item in resources_of(cloud_of(), role="horizon") if isinstance(item, Unit)]
    assert {SETTINGS, MANIFEST, "/etc/openstack-dashboard/local_settings.d"} <= set(unit.reads)


def test_haproxy_serves_the_dashboard_on_443_and_sends_everybody_there():
    configuration = content_of(cloud_of(), "/etc/haproxy/haproxy.cfg")
    block = configuration.partition("listen horizon\n")[2].partition("\nlisten ")[0]
    assert "bind :443 ssl" in block
    assert "redirect location /dashboard/ if { path / }" in block
    assert "bind :80\n" in block
    assert "redirect scheme https code 301" in block
    assert "server local 127.0.0.1:10443 " in block


def test_uwsgi_serves_the_dashboard_below_its_path_and_static_files_itself():
    server = content_of(cloud_of(), "/etc/pystack/uwsgi/horizon.ini")
    assert "\nmount = /dashboard=openstack_dashboard.wsgi:application\n" in server
    assert "\nstatic-map = /static=/var/lib/horizon/static\n" in server
    assert "\nmodule = " not in server
