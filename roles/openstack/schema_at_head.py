"""Tells whether a database has the schema that the installed release wants, in a tenth of the time of its own tools.

Runs on a host, with the interpreter of the virtual environment: PyMySQL is all it has beside the standard library.
Ends with 0 if so, 1 if not yet, 3 if that cannot be told.

    schema_at_head.py CONFIGURATION SECTION OPTION MIGRATIONS

CONFIGURATION is a service's file, whose OPTION in SECTION is SQLAlchemy's address of the database. MIGRATIONS is the
folder, below the environment's site-packages, with the service's Alembic scripts.
"""

from __future__ import annotations

import ast
import configparser
import pathlib
import re
import sys
import sysconfig
import urllib.parse
from typing import Any

#: Alembic reads these two out of each script: see "Create a Migration Script" in its tutorial.
ASSIGNMENT = re.compile(r"^(revision|down_revision)\b[^=\n]*=\s*(\([^)]*\)|.+)$", re.MULTILINE)
NO_SUCH_TABLE, NO_SUCH_DATABASE = 1146, 1049


def heads(folder: pathlib.Path) -> set[str]:
    """Return the revisions that no script comes after.

    Args:
        folder: searched with all below it.
    """
    revisions: set[str] = set()
    passed: set[str | None] = set()
    for path in folder.rglob("*.py"):
        found = dict(ASSIGNMENT.findall(path.read_text(encoding="utf-8")))
        if "revision" in found:
            revisions.add(ast.literal_eval(found["revision"]))
            before = ast.literal_eval(found.get("down_revision", "None"))
            passed.update(before if isinstance(before, (tuple, list)) else [before])
    return {revision for revision in revisions if revision not in passed}


def address(configuration: str, section: str, option: str) -> dict[str, Any]:
    """Return what PyMySQL connects with, from a service's configuration."""
    parser = configparser.RawConfigParser(strict=False)
    with open(configuration, encoding="utf-8") as stream:
        parser.read_file(stream)
    url = urllib.parse.urlsplit(parser.get(section, option))
    return {
        "host": url.hostname,
        "port": url.port or 3306,
        "user": urllib.parse.unquote(url.username or ""),
        "password": urllib.parse.unquote(url.password or ""),
        "database": urllib.parse.unquote(url.path[1:]),
    }


def current(server: dict[str, Any]) -> set[str]:
    """Return the revisions that a database is at."""
    import pymysql  # type: ignore[import-untyped]

    try:
        with pymysql.connect(connect_timeout=10, **server) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT version_num FROM alembic_version")
            return {row[0] for row in cursor.fetchall()}
    except pymysql.MySQLError as problem:
        if problem.args and problem.args[0] in (NO_SUCH_TABLE, NO_SUCH_DATABASE):
            return set()
        raise


def main(configuration: str, section: str, option: str, migrations: str) -> int:
    """Return the exit code."""
    try:
        wanted = heads(pathlib.Path(sysconfig.get_path("purelib"), migrations))
        if not wanted:
            raise LookupError(f"no migrations in {migrations}")
        return 0 if current(address(configuration, section, option)) == wanted else 1
    except Exception as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
