#!/bin/sh
# Makes a volume group on the one empty disk of a given size, once. Run by Vagrant as root: GROUP BYTES
#
# A disk that anything is on is left alone: a partition, a file system or other mark, a mount, another device on top.
set -eu
group=$1 bytes=$2
if ! command -v vgcreate >/dev/null; then
    if command -v dnf >/dev/null; then
        dnf -q -y install lvm2
    else
        apt-get -q update
        DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install lvm2
    fi
fi
if vgs --noheadings "$group" >/dev/null 2>&1; then
    echo "the volume group $group is there"
    exit 0
fi

is_empty() {
    # Below a disk in use there is a second line; what has a mark makes wipefs print it.
    [ "$(lsblk --noheadings --output NAME "$1" | wc -l)" -eq 1 ] &&
        [ -z "$(lsblk --noheadings --nodeps --output MOUNTPOINT "$1" | tr -d '[:space:]')" ] &&
        [ -z "$(wipefs --noheadings "$1")" ]
}

found=
for disk in $(lsblk --bytes --nodeps --noheadings --paths --output NAME,TYPE,SIZE |
    awk -v bytes="$bytes" '$2 == "disk" && $3 == bytes { print $1 }'); do
    if is_empty "$disk"; then
        found="$found $disk"
    fi
done
set -- $found
if [ $# -ne 1 ]; then
    echo "$# empty disks have $bytes bytes, and one is wanted:$found" >&2
    lsblk >&2
    exit 1
fi
vgcreate "$group" "$1"
