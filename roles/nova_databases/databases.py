# mypy: ignore-errors
"""Make the tables of Nova's three databases, and its two cells.

Runs as nova in the release's virtual environment, with nova.conf. It does what five calls of nova-manage do (api_db
sync, map_cell0, create_cell or update_cell, db sync), in one process instead of five that each load Nova first.

Argument: JSON, a list of cells with ``uuid``, ``name``, ``transport_url`` and ``database_connection``.
"""

import json
import sys
import uuid

from nova import monkey_patch

monkey_patch.patch(backend="threading")

from nova import config, context, objects  # noqa: E402 - only what is imported after it is patched
from nova.db import migration  # noqa: E402


def ensure(cell):
    """Make a cell's mapping, or make it as it must be, and return it."""
    admin = context.get_admin_context()
    for mapping in objects.CellMappingList.get_all(admin):
        if cell["uuid"] == mapping.uuid or (cell["uuid"] is None and cell["name"] == mapping.name):
            break
    else:
        mapping = objects.CellMapping(admin)
        mapping.uuid = cell["uuid"] or str(uuid.uuid4())
    mapping.name = cell["name"]
    mapping.transport_url = cell["transport_url"]
    mapping.database_connection = cell["database_connection"]
    if mapping.obj_attr_is_set("id"):
        mapping.save()
    else:
        mapping.create()
    return mapping


def main(cells):
    """Make everything, in the order in which one needs the other."""
    config.parse_args(["nova-manage"])
    objects.register_all()
    migration.db_sync(database="api")
    for mapping in map(ensure, cells):
        if mapping.is_cell0():
            with context.target_cell(context.get_admin_context(), mapping) as target:
                migration.db_sync(context=target)
    migration.db_sync()


main(json.loads(sys.argv[1]))
