#!/bin/sh
# Lets the operator's key in, beside the one that Vagrant made. Run by Vagrant as root: KEY FILE
set -eu
key=$1 file=$2
if [ -z "$key" ]; then
    echo "there is no public key in $file: ssh-keygen -t ed25519 makes one, or name yours with PYSTACK_PUBLIC_KEY" >&2
    exit 1
fi
keys=~vagrant/.ssh/authorized_keys
grep -qxF -- "$key" "$keys" || printf '%s\n' "$key" >>"$keys"
