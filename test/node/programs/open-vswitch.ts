/**
 * Prefix of a script: Debian's Open vSwitch with the bridge ovsbr0 in its userspace datapath, which needs no
 * module. The database runs in the policy's domain for Open vSwitch. The switch runs in the administrator's:
 * Debian's rules deny it the sockets that it needs. ovs-vswitchd(8)
 *
 *   serve_switch   starts both
 *   end_switch     ends both
 *   ports          lists the ports of ovsbr0, but not its own
 *   of_port NAME COLUMN, of_interface NAME COLUMN
 */
export const OPEN_VSWITCH = `
  mark() { setfattr -n security.selinux -v system_u:object_r:$2:s0 $1; }
  vsctl() { ovs-vsctl --no-syslog --timeout=60 "$@"; }
  serve_switch() {
    modprobe tun 2>/dev/null
    mkdir -p /run/openvswitch
    mark /run/openvswitch openvswitch_runtime_t
    ovsdb-tool create /run/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema
    # As at a boot: init's script starts the program, whose type gives the domain. Debian's rules deny this domain a shell.
    mkdir -p /srv/ovs
    cp "$(command -v ovsdb-server)" /srv/ovs/ovsdb-server
    printf '#!/bin/sh\\nexec %s /run/openvswitch/conf.db --remote=punix:/run/openvswitch/db.sock --no-chdir --log-file=/dev/null -vconsole:off\\n' /srv/ovs/ovsdb-server >/srv/ovs/start-ovs
    chmod 755 /srv/ovs/start-ovs
    mark /srv/ovs/ovsdb-server openvswitch_exec_t
    mark /srv/ovs/start-ovs initrc_exec_t
    /srv/ovs/start-ovs >/dev/null 2>&1 &
    wait_for vsctl --no-wait init
    /usr/lib/openvswitch-switch/ovs-vswitchd unix:/run/openvswitch/db.sock --pidfile=/run/openvswitch/ovs-vswitchd.pid --log-file=/dev/null -vconsole:off >/dev/null 2>&1 &
    vsctl add-br ovsbr0 -- set bridge ovsbr0 datapath_type=netdev
    # The node itself would send to all ports.
    echo 1 >/proc/sys/net/ipv6/conf/ovsbr0/disable_ipv6
    ip link set ovsbr0 up
  }
  end_switch() {
    vsctl del-br ovsbr0
    for pid in $(pidof ovs-vswitchd) $(pidof ovsdb-server); do kill -KILL $pid; done
    ip link del ovs-netdev 2>/dev/null
    rm -rf /run/openvswitch /srv/ovs
  }
  ports() { vsctl list-ports ovsbr0; }
  of_port() { vsctl --bare get Port $1 $2; }
  of_interface() { vsctl get Interface $1 $2; }
`;
