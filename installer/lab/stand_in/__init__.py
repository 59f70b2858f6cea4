"""Hosts that look like EL or Fedora where no mirror of those can be reached: Debian underneath, RPM on top.

A stand-in has the platform's os-release, real rpm, dnf and systemd, and a repository of RPMs with the platform's names,
accounts, units and paths, made from Debian's packages. What it cannot show: the platform's own binaries, its kernel and
its SELinux policy; its system Python is Debian's, and all of libvirt's daemons are one.
"""
