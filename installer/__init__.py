"""The engine of pystack: from an answer file to a verified cloud."""

__version__ = "0.1.0"
