#!/bin/sh
# Says which host key this machine has, as the answer file takes it. Run by Vagrant as root.
set -eu
address=$(ip -o -4 address show | awk '$4 ~ /^192[.]168[.]56[.]/ { sub("/.*", "", $4); print $4; exit }')
fingerprint=$(ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2)
echo "for CONFIG_SSH_HOST_KEYS: $address=$fingerprint"
