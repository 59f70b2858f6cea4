"""What an operator does with a cloud that stands."""

from __future__ import annotations

from installer.cli.session import Session


def tell_how_to_log_in(run: Session, answer_file: str) -> None:
    """Print where the admin's files are and how to use them."""
    folder = run.operation.admin_folder
    run.screen.line("the cloud stands. To use it as its admin:", "bold green")
    run.screen.line(f"  source {folder}/keystonerc_admin && openstack token issue")
    run.screen.line(f"  or: OS_CLIENT_CONFIG_FILE={folder}/clouds.yaml openstack --os-cloud pystack token issue")
    run.screen.line(f"later: pystack plan --answer-file {answer_file} shows what differs from it")
