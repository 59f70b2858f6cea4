"""Runs in the virtual environment of a release: Cinder's own RBD driver makes, clones, grows and deletes volumes.

It reads /etc/cinder/cinder.conf as cinder-volume does. What is printed is JSON: ``sizes`` of all volumes in GiB before
one is deleted, and ``told``, what the driver tells a compute host of one.
"""

import json
import types

from cinder import objects, version
from oslo_config import cfg
from oslo_utils import importutils

# The other modules look for these when they are imported.
objects.register_all()

from cinder.volume import configuration, manager  # noqa: E402
from cinder.volume.drivers.rbd import RADOSClient  # noqa: E402


class Volume(types.SimpleNamespace):
    """What the database would have of a volume: little here, and nothing else."""

    def __getattr__(self, name):
        return None


def volume(name, size=1):
    return Volume(name=name, name_id=name, id=name, size=size)


cfg.CONF(["--config-file", "/etc/cinder/cinder.conf"], project="cinder", version=version.version_string())
settings = configuration.Configuration(manager.volume_backend_opts, config_group="ceph")
driver = importutils.import_object(settings.volume_driver, configuration=settings, db=None, host="host@ceph")
driver.do_setup(None)
driver.check_for_setup_error()
source, clone, gone = volume("volume-1"), volume("volume-2", 2), volume("volume-3")
driver.create_volume(source)
driver.create_cloned_volume(clone, source)
driver.create_volume(gone)
driver.extend_volume(gone, 3)
with RADOSClient(driver) as client:
    names = driver.rbd.RBD().list(client.ioctx)
    sizes = {name: driver.rbd.Image(client.ioctx, name).size() >> 30 for name in names}
driver.delete_volume(gone)
print(json.dumps({"sizes": sizes, "told": driver.initialize_connection(source, {})["data"]}))
