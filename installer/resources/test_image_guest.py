"""What runs inside the test image: BusyBox with a handful of scripts, unpacked into memory at every boot."""

from __future__ import annotations

from typing import Dict

#: Written to the console when the guest can be logged in to; the console's login prompt comes after it.
READY = "pystack test image: ready"

_INITTAB = """\
::sysinit:/etc/start
ttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100
tty1::respawn:/sbin/getty 38400 tty1 linux
::ctrlaltdel:/sbin/reboot
::shutdown:/bin/umount -a -r
"""

_START = """\
#!/bin/sh
export PATH=/sbin:/bin HOME=/root
say() { echo "pystack test image: $*, $(cut -d ' ' -f 1 /proc/uptime) s after power-on"; }

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
for module in $(cat /etc/modules); do insmod "/lib/modules/$module"; done
mkdir -p /etc/acpi/PWRF
printf '#!/bin/sh\\npoweroff\\n' >/etc/acpi/PWRF/00000080
chmod 755 /etc/acpi/PWRF/00000080
acpid
hostname pystack-test
ip link set lo up

for path in /sys/class/net/*; do
  interface=${path##*/}
  [ "$interface" = lo ] && continue
  ip link set "$interface" up
  udhcpc -i "$interface" -b -t 20 -T 2 -O staticroutes -O mtu -s /etc/address
done

/etc/metadata
dropbear -R -s
say ready
"""

# Run by udhcpc with what the DHCP server said in the environment. Where it sends routes, its router does not count
# (RFC 3442); OVN sends the one to the metadata service so.
_ADDRESS = """\
#!/bin/sh
case "$1" in bound | renew) ;; *) exit 0 ;; esac
ip address flush dev "$interface"
ip address add "$ip/$mask" dev "$interface"
[ -n "$mtu" ] && ip link set "$interface" mtu "$mtu"
if [ -n "$staticroutes" ]; then
  set -- $staticroutes
  while [ $# -ge 2 ]; do
    if [ "$2" = 0.0.0.0 ]; then
      ip route add "$1" dev "$interface"
    else
      ip route add "$1" via "$2" dev "$interface"
    fi
    shift 2
  done
else
  for one in $router; do ip route add default via "$one" dev "$interface"; done
fi
: >/etc/resolv.conf
for one in $dns; do echo "nameserver $one" >>/etc/resolv.conf; done
echo "pystack test image: $interface has the address $ip/$mask"
"""

# A configuration drive, else the metadata service: of either the name, the key and a script that the user gave.
_METADATA = """\
#!/bin/sh
keys=/root/.ssh/authorized_keys
drive=/run/drive/openstack/latest
# Not with wget: that of Debian 12's BusyBox, which is linked statically, looks up the port of http and crashes.
ask() {
  printf 'GET /latest/%s HTTP/1.0\\r\\nHost: 169.254.169.254\\r\\n\\r\\n' "$1" |
    nc -w 4 169.254.169.254 80 2>/dev/null | tr -d '\\r' >/run/answer
  head -n 1 /run/answer | grep -q ' 200 '
}
# A busy cloud answers late, or that it cannot now: what was there the first time is asked for until it is told.
fetch() {
  try=0
  until ask "$1"; do
    head -n 1 /run/answer | grep -q ' 404 ' && [ -n "$source" ] && return 1
    try=$((try + 1))
    [ $try -lt 15 ] && ip route | grep -q . || return 1
    sleep 1
  done
  sed '1,/^$/d' /run/answer >"$2"
}

source=
mkdir -p /run/drive
for device in /dev/sr0 /dev/vd[b-z] /dev/sd[a-z]; do
  mount -o ro "$device" /run/drive 2>/dev/null || continue
  if [ -s $drive/meta_data.json ]; then
    source='a configuration drive'
    tr ',{}' '\\n\\n\\n' <$drive/meta_data.json >/run/meta-data
    sed -n 's/^ *"hostname": *"\\([^"]*\\)".*/\\1/p' /run/meta-data >/run/hostname
    sed -n 's/^ *"[^"]*": *"\\(ssh-[^"\\\\]*\\|ecdsa-[^"\\\\]*\\).*/\\1/p' /run/meta-data | sort -u >$keys
    cp $drive/user_data /run/user-data 2>/dev/null
  fi
  umount /run/drive
  [ -n "$source" ] && break
done
if [ -z "$source" ] && fetch meta-data/instance-id /run/instance-id; then
  source='the metadata service'
  fetch meta-data/hostname /run/hostname
  fetch meta-data/public-keys/0/openssh-key $keys
  fetch user-data /run/user-data
fi
[ -s /run/hostname ] && hostname "$(cat /run/hostname)"
chmod 600 $keys 2>/dev/null
echo "pystack test image: name $(hostname), keys $(cat $keys 2>/dev/null | grep -c .), from ${source:-nothing}"
if [ "$(head -c 2 /run/user-data 2>/dev/null)" = '#!' ]; then
  chmod 700 /run/user-data
  /run/user-data
fi
"""

# What scripts and test suites call in a guest of theirs, as far as BusyBox can do it. Everybody is root here.
_SUDO = """\
#!/bin/sh
exec "$@"
"""

# With nc, for the reason above: what was answered, if that went well.
_CURL = """\
#!/bin/sh
data=
while getopts sSfX:d: option; do
  [ "$option" = d ] && data=$OPTARG
done
shift $((OPTIND - 1))
rest=${1#http://}
server=${rest%%/*}
path=${rest#"$server"}
port=${server##*:}
[ "$port" = "$server" ] && port=80
{
  if [ -n "$data" ]; then
    printf 'POST %s HTTP/1.0\\r\\nHost: %s\\r\\n' "${path:-/}" "$server"
    printf 'Content-Type: application/x-www-form-urlencoded\\r\\nContent-Length: %s\\r\\n\\r\\n%s' "${#data}" "$data"
  else
    printf 'GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' "${path:-/}" "$server"
  fi
} | nc -w 10 "${server%:*}" "$port" | tr -d '\\r' >"/run/answer.$$"
code=$(sed -n '1s/^HTTP[^ ]* \\([0-9]*\\).*/\\1/p' "/run/answer.$$")
sed '1,/^$/d' "/run/answer.$$"
rm "/run/answer.$$"
case "$code" in 2??) exit 0 ;; *) exit 22 ;; esac
"""

# util-linux's, asked for a device by its label.
_BLKID = """\
#!/bin/sh
[ "$1" = -L ] && exec findfs "LABEL=$2"
echo 'blkid: only -L LABEL is known here' >&2
exit 2
"""

_ISSUE = """\

This is pystack's test image. It keeps nothing over a restart.
On the console log in as root without a password; over SSH as root or {user} with your key.

"""


def files(user: str) -> Dict[str, str]:
    """Return the guest's own files by absolute path; those that begin with ``#!`` are programs.

    Args:
        user: a further name of root's.
    """
    names = dict.fromkeys(("root", user))
    return {
        "/etc/inittab": _INITTAB,
        "/etc/start": _START,
        "/etc/address": _ADDRESS,
        "/etc/metadata": _METADATA,
        "/bin/sudo": _SUDO,
        "/bin/curl": _CURL,
        "/sbin/blkid": _BLKID,
        "/etc/issue": _ISSUE.format(user=user),
        # An empty password lets the console in; dropbear -s lets nobody in by password.
        "/etc/passwd": "".join(f"{name}::0:0:{name}:/root:/bin/sh\n" for name in names),
        "/etc/group": "root:x:0:\n",
        "/etc/shells": "/bin/sh\n",
    }
