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
    svirt list >/dev/null
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
