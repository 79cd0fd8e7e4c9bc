import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { bringLinux, LINUX } from "./linux-guest/on-the-node.ts";
import { REMOVE, SCENE } from "./network/scene.ts";

const onTheNode = await onANode();
bringLinux();

/**
 * Makes `linux NAME OPS MAC SOURCE MORE` define a Linux guest with one card. Its messages are in its serial
 * file, which `said` reads, and `tree_of` prints a bridge's root, its port and its times.
 */
const GUESTS = `${LINUX}
  linux() {
    linux_card="<interface type='\${4%% *}'><mac address='52:54:00:00:00:$3'/><source \${4#* }/><model type='virtio'/>$5</interface>"
    guest_type=kvm xml "$1" "$linux_card<serial type='file'><source path='$here/$1.serial'/></serial>" | as_linux "$2" >$work/linux.xml
    svirt define $work/linux.xml >/dev/null
  }
  said() { tr -d '\\r' <"$here/$1.serial" | grep '^[a-z]*='; }
  tree_of() { for fact in root_id root_port forward_delay max_age topology_change_detected; do cat /sys/class/net/$1/bridge/$fact; done; }
  filtered() { echo "<filterref filter='clean-traffic'><parameter name='IP' value='$1'/></filterref>"; }
`;

/** Linux boots in guests slowly on a busy machine. */
const SLOW = { timeoutMs: 900_000 };

/** A network with DHCP for 31 guests. */
const NETWORK = `
  cat >$work/net.xml <<END
<network><name>life-net</name><forward mode='nat'/><bridge name='lifebr8'/><mac address='52:54:00:00:00:88'/><ip address='192.168.78.1' prefix='24'>
<dhcp><range start='192.168.78.2' end='192.168.78.32'/></dhcp></ip></network>
END
  svirt net-create $work/net.xml >/dev/null
`;

/**
 * A receiver without checksum offload on a bridge, whose senders are in a file; ended by `kill $receiver`.
 */
const RECEIVER = `
  ip link add lifebr0 type bridge mcast_snooping 0
  ip link set lifebr0 up
  $here/frames receive life-far >$work/senders &
  receiver=$!
  wait_for grep -q ready $work/senders
  ip link set life-far master lifebr0 up
`;

onTheNode(
  "a filtered guest's header has the host write no address behind the filter",
  async () => {
    const notes = await onNode(`${GUESTS}${RECEIVER}
    linux life-a forge 02 "bridge bridge='lifebr0'" "$(filtered 192.168.76.2)"
    note plan svirt plan life-a
    note start svirt start life-a
    note words sh -c "tr '\\0' '\\n' </proc/$(pid_of life-a)/cmdline | grep hostnet0"
    note flags cat /sys/class/net/vnet0/tun_flags
    wait_gone life-a
    note senders cat $work/senders
    note said said life-a
    kill $receiver
    ip link del lifebr0
  `);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    // IFF_TAP, IFF_NO_PI; IFF_VNET_HDR would be 0x4000. linux/if_tun.h
    expect(outOf(notes, "flags")).toBe("0x1002");
    expect(outOf(notes, "words")).not.toContain("vhost");
    expect(outOf(notes, "plan")).not.toContain("vhost-net");
    expect(outOf(notes, "said").split("\n")).toEqual(["forge=done", "end=done"]);
    // The frames without such a header arrive.
    expect(outOf(notes, "senders").split("\n")).toEqual(["ready", "192.168.76.2"]);
  },
  SLOW,
);

onTheNode(
  "an unfiltered guest's header has the host write another address",
  async () => {
    const notes = await onNode(`${GUESTS}${RECEIVER}
    linux life-a forge 02 "bridge bridge='lifebr0'" ""
    note start svirt start life-a
    note words sh -c "tr '\\0' '\\n' </proc/$(pid_of life-a)/cmdline | grep hostnet0"
    wait_gone life-a
    note senders cat $work/senders
    note said said life-a
    kill $receiver
    ip link del lifebr0
  `);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    expect(outOf(notes, "words")).toContain('"vhost":true');
    expect(outOf(notes, "said").split("\n")).toEqual(["forge=done", "end=done"]);
    expect(outOf(notes, "senders").split("\n")).toEqual(["ready", "192.168.76.2", "192.168.76.9"]);
  },
  SLOW,
);

onTheNode(
  "a guest's spanning tree keeps no address from a guest that starts later",
  async () => {
    const notes = await onNode(`${GUESTS}${NETWORK}
    wait_for grep -q . /sys/class/net/lifebr8/bridge/root_id
    # The bridge itself tells of a change 4 s after a port is up, for 2 s and this time. The guest sends for
    # longer.
    echo 600 >/sys/class/net/lifebr8/bridge/max_age
    note before tree_of lifebr8
    linux life-a tree 02 "network network='life-net'" ""
    note first svirt start life-a
    wait_for grep -q ^tree= "$here/life-a.serial"
    note after tree_of lifebr8
    wait_gone life-a
    note said said life-a
    note ipv6 ip -6 addr show
    linux life-n dhcp 03 "network network='life-net'" ""
    note second svirt start life-n
    note tap cat /proc/sys/net/ipv6/conf/vnet0/accept_ra /proc/sys/net/ipv6/conf/vnet0/disable_ipv6
    note snooping cat /sys/class/net/lifebr8/bridge/multicast_snooping
    note addresses ip -6 addr show dev vnet0
    wait_gone life-n
    note later said life-n
    svirt net-destroy life-net >/dev/null
  `);
    for (const name of ["first", "second"]) expect(noteOf(notes, name)).toMatchObject({ code: 0, err: "" });
    // The port of the guest is not disabled: its messages are dropped before the bridge.
    expect(outOf(notes, "said").split("\n")).toEqual(["tree=done", "end=done"]);
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(outOf(notes, "tap").split("\n")).toEqual(["0", "1"]);
    expect([outOf(notes, "snooping"), noteOf(notes, "addresses").out.trim()]).toEqual(["0", ""]);
    expect(outOf(notes, "later").split("\n")).toEqual(["own=done", "end=done"]);
  },
  SLOW,
);

onTheNode(
  "a guest that invents hardware addresses gets one lease with a filter",
  async () => {
    const notes = await onNode(`${GUESTS}${NETWORK}
    linux life-a leases 02 "network network='life-net'" "$(filtered 192.168.78.9)"
    note start svirt start life-a
    wait_gone life-a
    note said said life-a
    note leases sh -c "grep -c . /run/svirt-networks/*/leases"
    svirt net-destroy life-net >/dev/null
    svirt net-create $work/net.xml >/dev/null
    linux life-n leases 03 "network network='life-net'" ""
    note second svirt start life-n
    wait_gone life-n
    note unfiltered sh -c "grep -c . /run/svirt-networks/*/leases"
    svirt net-destroy life-net >/dev/null
  `);
    for (const name of ["start", "second"]) expect(noteOf(notes, name)).toMatchObject({ code: 0, err: "" });
    expect(outOf(notes, "said").split("\n")).toEqual(["leases=done", "own=done", "end=done"]);
    expect(outOf(notes, "leases")).toBe("1");
    expect(Number(outOf(notes, "unfiltered"))).toBeGreaterThan(20);
  },
  SLOW,
);

onTheNode(
  "an audit beside starts and ends of guests is silent",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    (for round in 1 2 3 4 5; do
      svirt start life-a >/dev/null && svirt destroy life-a >/dev/null
      svirt start life-b >/dev/null && kill -9 $(pid_of life-b) && wait_gone life-b
    done; touch $work/lived) 2>$work/errors &
    audits() {
      until [ -e $work/lived ]; do
        svirt audit >$work/audit || { echo "ended with $?"; grep '^  - ' $work/audit; }
        echo looked
      done
    }
    note audits audits
    note errors cat $work/errors
    ${REMOVE}
  `);
    const lines = outOf(notes, "audits").split("\n");
    expect(new Set(lines)).toEqual(new Set(["looked"]));
    expect(lines.length).toBeGreaterThan(3);
    expect(noteOf(notes, "errors").out).toBe("");
  },
  SLOW,
);
