"""The engine of pystack: from an answer file to a verified cloud."""
