#!/bin/sh
# Switches the network card of floating addresses on, now and at boot, without an address, and says its name. Run by
# Vagrant as root: MAC
set -eu
mac=$1 card=
for folder in "${SYS_CLASS_NET:-/sys/class/net}"/*; do
    # A bridge that the card is a port of may have the same Ethernet address, but is no device.
    if [ -e "$folder/device" ] && [ "$(cat "$folder/address")" = "$mac" ]; then
        card=$(basename "$folder")
    fi
done
if [ -z "$card" ]; then
    echo "no network card has the Ethernet address $mac" >&2
    exit 1
fi
echo "for CONFIG_NEUTRON_OVN_BRIDGE_IFACES: br-ex:$card"
# pystack looks after it from the moment that the bridge has it.
if ip -o link show dev "$card" | grep -q ' master '; then
    exit 0
fi
if systemctl -q is-active NetworkManager; then
    nmcli -g NAME connection show floating >/dev/null 2>&1 ||
        nmcli connection add type ethernet con-name floating ifname "$card" ipv4.method disabled ipv6.method disabled
    nmcli connection up floating
elif systemctl -q is-active systemd-networkd; then
    printf '[Match]\nName=%s\n[Network]\nLinkLocalAddressing=no\n' "$card" >/etc/systemd/network/70-floating.network
    networkctl reload
else
    printf 'auto %s\niface %s inet manual\n' "$card" "$card" >/etc/network/interfaces.d/floating
    ip link set "$card" up
fi
