"""What must be true on the hosts: one folder per role."""
