"""Bundles: one archive with all that hosts would download from the package index, for sites without a way there."""
