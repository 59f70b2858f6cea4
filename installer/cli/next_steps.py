"""What an operator does with a cloud that stands."""

from __future__ import annotations

from pathlib import Path

from installer.cli.session import Session
from installer.report.tables import columns


def tell_how_to_log_in(run: Session, answer_file: str, lab_host: str = "") -> None:
    """Print where the admin's files are and how to use them.

    Args:
        run: the session of the installation.
        answer_file: its answer file.
        lab_host: name of the throw-away host, if it was installed onto one.
    """
    client = f"/opt/pystack/{run.answers['CONFIG_OPENSTACK_RELEASE']}/bin/openstack"
    rows = [("  on the controller", ". /root/keystonerc_admin"), ("", f"{client} token issue")]
    if run.operation.admin_folder:
        rows.append(("  here, with a client", f". {_short(run.operation.admin_folder)}/keystonerc_admin"))
    if lab_host:
        rows.append(("  log in to the host", f"pystack lab-shell {lab_host}"))
        rows.append(("  remove it", "pystack lab-down"))
    rows.append(("  what differs later", f"pystack plan {answer_file}"))
    run.screen.line("the cloud stands. As its admin:", "bold green")
    for line in columns(rows):
        run.screen.line(line)
    run.screen.line(f"journal: {_short(run.journal.folder)}", "dim")


def _short(path: Path) -> str:
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
