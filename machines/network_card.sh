#!/bin/sh
# Switches a network card on, now and at boot, with an address or without. Run by Vagrant as root: NAME MAC [ADDRESS/LENGTH]
set -eu
name=$1 mac=$2 address=${3:-} card=
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
if [ -z "$address" ]; then
    echo "for CONFIG_NEUTRON_OVN_BRIDGE_IFACES: br-ex:$card"
fi
# pystack looks after it from the moment that the bridge has it.
if ip -o link show dev "$card" | grep -q ' master '; then
    exit 0
fi
if systemctl -q is-active NetworkManager; then
    if ! nmcli -g NAME connection show "$name" >/dev/null 2>&1; then
        set -- ipv4.method disabled
        if [ -n "$address" ]; then
            set -- ipv4.method manual ipv4.addresses "$address"
        fi
        nmcli connection add type ethernet con-name "$name" ifname "$card" "$@" ipv6.method disabled
    fi
    nmcli connection up "$name"
elif systemctl -q is-active systemd-networkd; then
    {
        printf '[Match]\nName=%s\n[Network]\nLinkLocalAddressing=no\n' "$card"
        [ -z "$address" ] || printf 'Address=%s\n' "$address"
    } >"${ETC:-/etc}/systemd/network/10-$name.network"
    networkctl reload
else
    {
        printf 'auto %s\n' "$card"
        if [ -n "$address" ]; then
            printf 'iface %s inet static\n    address %s\n' "$card" "$address"
        else
            printf 'iface %s inet manual\n' "$card"
        fi
    } >"${ETC:-/etc}/network/interfaces.d/$name"
    ifup "$card"
fi
