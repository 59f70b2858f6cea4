"""Wheels on the machine that runs pystack: which a host needs; fetched from the index, kept, and given to hosts."""
