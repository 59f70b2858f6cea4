"""Runs in the virtual environment of a release: starts cinder-volume's reading of its options, with the real drivers.

The one argument is the path of a cinder.conf. What is printed is JSON: ``read``, section to option to the value that
the driver has of it, as text; and ``problems``, options that the driver of their section does not know, or knows by
another name or not for long. Without an argument: the names of the options of all drivers that are held for secret.
"""

import contextlib
import json
import sys
import time
import unittest.mock

from cinder import exception, objects, version
from oslo_config import cfg
from oslo_utils import importutils

# The other modules look for these when they are imported.
objects.register_all()

from cinder.backup import manager as backup_manager  # noqa: E402, F401 - it makes the options of backups known
from cinder.volume import configuration, manager  # noqa: E402

CONF = cfg.CONF
time.sleep = lambda seconds: None


def main(path):
    CONF(["--config-file", path], project="cinder", version=version.version_string(), default_config_dirs=[])
    written = {}
    cfg.ConfigParser(path, written).parse()
    read, problems = {}, []
    for name in CONF.enabled_backends:
        options = read[name] = {}
        settings = settings_of(name)
        for option in written[name]:
            problems += told(name, option, CONF._groups[name]._opts)
            options[option] = text(settings.safe_get(option))
    if CONF.backup_driver:
        importutils.import_class(CONF.backup_driver)
    options = read["DEFAULT"] = {}
    for option in (option for option in written["DEFAULT"] if option.startswith("backup_")):
        problems += told("DEFAULT", option, CONF._opts)
        options[option] = text(getattr(CONF, option))
    print(json.dumps({"read": read, "problems": problems}))


def settings_of(name):
    """Make the driver of a backend as cinder-volume does (cinder/volume/manager.py), and return what it reads."""
    settings = configuration.Configuration(manager.volume_backend_opts, config_group=name)
    # Some ask their array at once, and there is none. By then they have read what they need for that.
    with contextlib.suppress(exception.VolumeBackendAPIException):
        importutils.import_object(
            settings.volume_driver,
            configuration=settings,
            db=None,
            host=f"host@{name}",
            cluster_name=None,
            is_vol_db_empty=True,
            active_backend_id=None,
        )
    return settings


def told(section, option, known):
    found = known.get(option)
    if not found:
        others = [other["opt"] for other in known.values()]
        now = [one.name for one in others if option in {old.name for old in one.deprecated_opts}]
        yield f"{section}/{option} is called {now[0]}" if now else f"{section}/{option} is not known"
    elif found["opt"].deprecated_for_removal:
        yield f"{section}/{option} will be removed"


def text(value):
    if isinstance(value, dict):
        return ",".join(f"{key}:{item}" for key, item in value.items())
    return ",".join(map(text, value)) if isinstance(value, (list, tuple)) else str(value)


def secret():
    # Cinder loads all of its drivers to tell their options, and one needs these, which the release does not bring.
    for name in ("googleapiclient", "googleapiclient.errors"):
        sys.modules[name] = unittest.mock.MagicMock()
    from cinder import opts

    told = [option for group, options in opts.list_opts() if group == "backend_defaults" for option in options]
    print(json.dumps(sorted({option.name for option in told if option.secret})))


if __name__ == "__main__":
    main(sys.argv[1]) if len(sys.argv) > 1 else secret()
