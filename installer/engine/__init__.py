"""Runs a plan: every step on every host as soon as what it needs is ready."""
