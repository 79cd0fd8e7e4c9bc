import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { REMOVE, SCENE } from "./network/scene.ts";

const onTheNode = await onANode();

onTheNode(
  "two guests on one bridge: taps of their own, vhost, and frames from one to the other",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    note plan svirt plan life-a
    note start svirt start life-a
    note second svirt start life-b
    note ports ports
    note words sh -c "tr '\\0' '\\n' </proc/$(pid_of life-a)/cmdline | grep hostnet0"
    note network svirt qemu-monitor-command life-a --hmp info network
    note address cat /sys/class/net/vnet0/address
    note before count life-tap tx_packets
    announce life-a
    sleep 2
    note after count life-tap tx_packets
    note sent count vnet0 rx_packets
    note xml svirt dumpxml life-a
    note audit svirt audit
    svirt destroy life-a >/dev/null
    note left ports
    note trace left life-a
    kill -9 $(pid_of life-b)
    wait_gone life-b
    note last ports
    ${REMOVE}
  `);
    expect([noteOf(notes, "start").code, noteOf(notes, "start").err]).toEqual([0, ""]);
    expect([noteOf(notes, "second").code, noteOf(notes, "second").err]).toEqual([0, ""]);
    expect(outOf(notes, "plan")).toContain("with a new tap vnet0 (2 queues) and vhost-net");
    expect(outOf(notes, "plan")).toContain(
      "set up tap vnet0: MAC fe:54:00:00:00:01, MTU 1500, on bridge svirtbr0, up",
    );
    expect(outOf(notes, "ports").split("\n").toSorted()).toEqual(["life-tap", "vnet0"]);
    expect(outOf(notes, "words")).toMatch(/"fds":"\d+:\d+","vhost":true,"vhostfds":"\d+:\d+"/);
    expect(outOf(notes, "network")).toContain("virtio-net-pci");
    expect(outOf(notes, "network")).toContain("type=tap");
    expect(outOf(notes, "address")).toBe("fe:54:00:00:00:01");
    expect(Number(outOf(notes, "sent"))).toBeGreaterThan(0);
    expect(Number(outOf(notes, "after"))).toBeGreaterThan(Number(outOf(notes, "before")));
    expect(outOf(notes, "xml")).toContain("<target dev='vnet0'/>");
    expect([noteOf(notes, "audit").code, noteOf(notes, "audit").out]).toEqual([
      0,
      expect.stringContaining("No findings."),
    ]);
    expect(outOf(notes, "left")).toBe("life-tap");
    expect(noteOf(notes, "trace").out).toBe("");
    expect(noteOf(notes, "last").out.trim()).toBe("");
  },
);

onTheNode("a svirt that is killed in a start leaves no tap", async () => {
  const notes = await onNode(`
    ${SCENE}
    step=$(svirt plan life-a | grep 'set up tap' | awk '{print $1}')
    note killed svirt start life-a --crash-drill after:$step
    note during ports
    note list svirt list
    note after ports
    note trace left life-a
    ${REMOVE}
  `);
  expect(noteOf(notes, "killed").code).toBe(137);
  expect(outOf(notes, "during")).toBe("vnet0");
  expect(noteOf(notes, "after").out.trim()).toBe("");
  expect(noteOf(notes, "trace").out).toBe("");
});

onTheNode("ports of a bridge are isolated and in their VLAN alone", async () => {
  const notes = await onNode(`
    ${SCENE}
    ip link set svirtbr0 type bridge vlan_filtering 1 || echo 1 >/sys/class/net/svirtbr0/bridge/vlan_filtering
    guest life-b "$(disk $here/b.img)$(card 02 '<target dev="life-tap"/>' "" | sed 's#<source[^>]*>#&<vlan><tag id="42"/></vlan><port isolated="yes"/>#')"
    guest life-a "$(disk $here/a.img)$(card 01 "" "")"
    note start svirt start life-b
    note second svirt start life-a
    note isolated cat /sys/class/net/life-tap/brport/isolated
    before=$(count life-tap tx_packets)
    announce life-a
    sleep 2
    note heard sh -c "echo $(($(count life-tap tx_packets) - before))"
    svirt destroy life-a >/dev/null
    svirt destroy life-b >/dev/null
    ${REMOVE}
  `);
  expect([noteOf(notes, "start").err, noteOf(notes, "second").err]).toEqual(["", ""]);
  expect(outOf(notes, "isolated")).toBe("1");
  // Frames of another VLAN do not reach it.
  expect(outOf(notes, "heard")).toBe("0");
});

onTheNode("an interface on a bridge comes to a running guest", async () => {
  const notes = await onNode(`
    ${SCENE}
    guest life-a "$(disk $here/a.img)"
    svirt start life-a >/dev/null
    card 03 "" "" >$here/card.xml
    note attach svirt attach-device life-a $here/card.xml
    note ports ports
    note network svirt qemu-monitor-command life-a --hmp info network
    svirt destroy life-a >/dev/null
    note left ports
    note trace left life-a
    ${REMOVE}
  `);
  expect([noteOf(notes, "attach").out.trim(), noteOf(notes, "attach").err]).toEqual([
    "Device attached successfully",
    "",
  ]);
  expect(outOf(notes, "ports")).toBe("vnet0");
  expect(outOf(notes, "network")).toContain("type=tap");
  expect(noteOf(notes, "left").out.trim()).toBe("");
  expect(noteOf(notes, "trace").out).toBe("");
});

onTheNode(
  "a guest on a network of libvirt's XML has a tap on its bridge while the network is active",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    echo "<network><name>life-net</name><forward mode='bridge'/><bridge name='svirtbr0'/></network>" >$here/net.xml
    guest life-n "<interface type='network'><source network='life-net'/><model type='virtio'/></interface>"
    note define svirt net-define $here/net.xml
    note inactive svirt start life-n
    svirt net-start life-net >/dev/null
    note start svirt start life-n
    note ports ports
    note interfaces svirt domiflist life-n
    note destroy svirt net-destroy life-net
    note still svirt domstate life-n
    svirt destroy life-n >/dev/null
    note left ports
    svirt net-autostart life-net >/dev/null
    note recover svirt recover --autostart
    note active svirt net-list --name
    svirt net-destroy life-net >/dev/null
    svirt net-undefine life-net >/dev/null
    note none svirt net-list --all --name
    ${REMOVE}
  `);
    expect([noteOf(notes, "define").code, noteOf(notes, "start").err]).toEqual([0, ""]);
    expect(noteOf(notes, "inactive").err).toContain("network 'life-net' is not active");
    expect(outOf(notes, "ports")).toContain("vnet0");
    expect(outOf(notes, "interfaces")).toMatch(/vnet0 +bridge +life-net +virtio/);
    expect(noteOf(notes, "destroy").code).toBe(0);
    expect(outOf(notes, "still")).toBe("running");
    expect(outOf(notes, "left")).not.toContain("vnet0");
    expect(outOf(notes, "recover")).toContain("Network life-net started");
    expect(outOf(notes, "active")).toBe("life-net");
    expect(noteOf(notes, "none").out.trim()).toBe("");
  },
);

onTheNode("a network makes its bridge, isolates its guests, and removes it at its end", async () => {
  const notes = await onNode(`
    ${SCENE}
    ip link add life-out type veth peer name life-far
    ip addr add 192.0.2.1/24 dev life-out
    ip link set life-out up
    ip link set life-far up
    echo 1 >/proc/sys/net/ipv4/ip_forward
    echo "<network><name>life-in</name><bridge name='virbr77'/><mac address='52:54:00:00:00:77'/><mtu size='1400'/><ip address='192.168.177.1' prefix='24'/></network>" >$here/in.xml
    channel="<channel type='unix'><target type='virtio' name='life'/></channel>"
    guest life-n "$channel<interface type='network'><source network='life-in'/><model type='virtio'/></interface>"
    note define svirt net-define $here/in.xml
    note netstart svirt net-start life-in
    note address ip -o -4 addr show virbr77
    note rule ip rule
    note tables nft list ruleset
    note start svirt start life-n
    note live svirt dumpxml life-n
    note socket ls /run/svirt/$(uuid_of life-n)/guest
    note port ls /sys/class/net/virbr77/brif
    note mtu cat /sys/class/net/vnet0/mtu
    note host ip route get 192.168.177.1 from 192.168.177.9 iif virbr77
    note outside ip route get 192.0.2.9 from 192.168.177.9 iif virbr77
    svirt destroy life-n >/dev/null
    echo "<network><name>life-twin</name><bridge name='virbr78'/><ip address='192.168.177.2' prefix='24'/></network>" >$here/twin.xml
    note collision svirt net-create $here/twin.xml
    note destroy svirt net-destroy life-in
    note gone ls /sys/class/net
    note rules ip rule
    note untabled nft list tables
    svirt net-undefine life-in >/dev/null
    ip link delete life-out
    ${REMOVE}
  `);
  expect([noteOf(notes, "define").err, noteOf(notes, "netstart").err, noteOf(notes, "start").err]).toEqual([
    "",
    "",
    "",
  ]);
  expect(outOf(notes, "address")).toContain("192.168.177.1/24 brd 192.168.177.255");
  expect(outOf(notes, "rule")).toMatch(/^1:\s+from all iif virbr77 .*blackhole$/m);
  expect(outOf(notes, "tables").match(/oifname "virbr77" counter packets \d+ bytes \d+ drop/g)).toHaveLength(
    2,
  );
  expect(outOf(notes, "untabled")).not.toContain("svirt_");
  expect(outOf(notes, "live")).toMatch(
    /<interface type='network'>\s*<mac [^>]*>\s*<source network='life-in' portid='[^']*' bridge='virbr77'/,
  );
  // Guests' common folder can be passed after a network's start too.
  expect(outOf(notes, "socket")).toContain("channel0.sock");
  expect(outOf(notes, "port")).toBe("vnet0");
  expect(outOf(notes, "mtu")).toBe("1400");
  expect(outOf(notes, "host")).toContain("local 192.168.177.1");
  expect(noteOf(notes, "outside").code).not.toBe(0);
  expect(noteOf(notes, "collision").err).toContain("Network is already in use by interface virbr77");
  expect(noteOf(notes, "destroy").code).toBe(0);
  expect(outOf(notes, "gone")).not.toContain("virbr77");
  expect(outOf(notes, "rules")).not.toContain("virbr77");
});

onTheNode(
  "a network of mode nat with DHCP has rules of nft and a confined dnsmasq, and leaves nothing",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    note tools sh -c 'for tool in nft dnsmasq; do test -x /usr/sbin/$tool && printf "%s " $tool; done; true'
    echo "<network><name>life-nat</name><forward/><bridge name='virbr79'/><ip address='192.168.179.1' prefix='24'><dhcp><range start='192.168.179.2' end='192.168.179.9'/></dhcp></ip></network>" >$here/nat.xml
    note define svirt net-define $here/nat.xml
    note start svirt net-start life-nat
    note link ls /sys/class/net
    note leases svirt net-dhcp-leases life-nat
    note server sh -c 'tr -d "\\0" <"/proc/$(pidof dnsmasq | cut -d" " -f1)/attr/current"'
    note rules sh -c 'nft list tables 2>/dev/null || true'
    note update svirt net-update life-nat add-last ip-dhcp-host "<host mac='52:54:00:00:00:07' ip='192.168.179.7'/>" --live
    note hosts sh -c 'cat /run/svirt-networks/*/hostsfile || true'
    note destroy svirt net-destroy life-nat
    note gone sh -c 'ls /sys/class/net; ls /run/svirt-networks; ps -eo args | grep "[d]nsmasq --conf-file"; nft list tables; true'
    svirt net-undefine life-nat >/dev/null
    ${REMOVE}
  `);
    expect(outOf(notes, "tools").trim()).toBe("nft dnsmasq");
    expect([noteOf(notes, "start").err, noteOf(notes, "leases").err, noteOf(notes, "update").err]).toEqual([
      "",
      "",
      "",
    ]);
    expect(outOf(notes, "link")).toContain("virbr79");
    expect(outOf(notes, "server")).toContain(":dnsmasq_t:");
    expect(outOf(notes, "rules")).toContain("svirt_");
    expect(outOf(notes, "hosts")).toContain("52:54:00:00:00:07,192.168.179.7");
    expect(noteOf(notes, "destroy").code).toBe(0);
    expect(noteOf(notes, "gone").out).not.toMatch(/virbr79|svirt_|dnsmasq|-[0-9a-f]{12}/);
  },
);
