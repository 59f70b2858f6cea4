"""What the operator sees of a run: listeners that turn events into a live view, plain lines, JSON or nothing.

Only the CLI uses this package; nothing below it prints.
"""

from installer.report.base import Composite, Quiet, Report

__all__ = ["Composite", "Quiet", "Report"]
