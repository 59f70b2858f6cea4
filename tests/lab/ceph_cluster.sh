# Runs on a host: a Ceph cluster of one monitor and one object store in memory, with the pool and user of volumes.
# Arguments: the host's address. Prints the key of client.cinder.
set -eu
address=$1
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends ceph-mon ceph-osd ceph-common uuid-runtime >/dev/null
fsid=$(uuidgen)
cat >/etc/ceph/ceph.conf <<CONF
[global]
fsid = $fsid
mon_host = $address
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
auth_allow_insecure_global_id_reclaim = false
osd_objectstore = memstore
memstore_device_bytes = 1073741824
CONF
cd /root
admin=/etc/ceph/ceph.client.admin.keyring
ceph-authtool --create-keyring mon.keyring --gen-key -n mon. --cap mon 'allow *' >/dev/null
ceph-authtool --create-keyring $admin --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' >/dev/null
ceph-authtool mon.keyring --import-keyring $admin >/dev/null
monmaptool --create --addv a "[v2:$address:3300,v1:$address:6789]" --fsid "$fsid" monmap >/dev/null
mkdir -p /var/lib/ceph/mon/ceph-a /var/lib/ceph/osd/ceph-0
ceph-mon --mkfs -i a --monmap monmap --keyring mon.keyring
systemd-run --quiet --unit=t-ceph-mon ceph-mon -f -i a
timeout 60 sh -c 'until ceph --connect-timeout 5 status >/dev/null 2>&1; do sleep 1; done'
uuid=$(uuidgen)
ceph osd new "$uuid" >/dev/null
ceph auth get-or-create osd.0 mon 'allow profile osd' osd 'allow *' -o /var/lib/ceph/osd/ceph-0/keyring
ceph-osd -i 0 --mkfs --osd-uuid "$uuid" 2>/dev/null
systemd-run --quiet --unit=t-ceph-osd ceph-osd -f -i 0
ceph osd pool create volumes 8 >/dev/null 2>&1
ceph osd pool application enable volumes rbd >/dev/null 2>&1
timeout 60 sh -c 'until ceph osd stat | grep -q "1 up"; do sleep 1; done'
ceph auth get-or-create client.cinder mon 'profile rbd' osd 'profile rbd pool=volumes' >/dev/null
ceph auth get-key client.cinder
