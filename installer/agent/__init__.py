"""The short-lived process on a host that queries, decides and fixes. It travels: standard library, Python 3.9."""
