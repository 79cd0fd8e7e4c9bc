import { expect } from "bun:test";
import { noteOf, outOf } from "./lifecycle/notes.ts";
import { onANode } from "./lifecycle/on-a-node.ts";
import { onNode } from "./lifecycle/on-the-node.ts";

const onTheNode = await onANode();

/**
 * Two guests on one bridge. The first has a virtio card with two queues. The second's is one that takes every frame and,
 * as its guest has no driver, drops it: then the host has sent it.
 */
const SCENE = `
  clean
  copy halt a.img b.img
  ip link show svirtbr0 >/dev/null 2>&1 || ip link add svirtbr0 type bridge
  ip link set svirtbr0 up
  begun=$(cut -d ' ' -f 1 /proc/uptime)
  card() {
    printf '<interface type="bridge"><mac address="52:54:00:00:00:%s"/><source bridge="svirtbr0"/>%s<model type="%s"/>%s</interface>' "$1" "$2" "\${4-virtio}" "$3"
  }
  guest life-a "$(disk $here/a.img)$(card 01 "" '<driver queues="2"/>')"
  guest life-b "$(disk $here/b.img)$(card 02 '<target dev="life-tap"/>' "" rtl8139)"
  ports() { ls /sys/class/net/svirtbr0/brif; }
  announce() {
    svirt qemu-monitor-command "$1" '{"execute":"announce-self","arguments":{"initial":50,"max":100,"rounds":5,"step":10}}' >/dev/null
  }
  count() { cat /sys/class/net/$1/statistics/$2; }
`;
const REMOVE = "ip link del svirtbr0";

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
    note denials denied_since "$begun"
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
    expect(noteOf(notes, "denials").out).toBe("");
  },
);

/** Two guests, each with a macvtap on the same device: a bridge, which the node has, is one like others. */
const MACVTAPS = `
  ${SCENE}
  direct() {
    printf '<interface type="direct"><mac address="52:54:00:00:00:%s"/><source dev="svirtbr0" mode="%s"/><model type="%s"/>%s</interface>' "$1" "$2" "\${3-virtio}" "$4"
  }
  mode=\${mode-bridge}
  guest life-a "$(disk $here/a.img)$(direct 01 $mode virtio '<driver queues="2"/>')"
  guest life-b "$(disk $here/b.img)$(direct 02 $mode rtl8139)"
  names() { ls /sys/class/net | grep macvtap; }
  facts() {
    for name in $(names); do
      node=/dev/$(ls /sys/class/net/$name/macvtap)
      echo "$name $(cat /sys/class/net/$name/address) $(label_of $node)"
    done
  }
`;

onTheNode(
  "two guests on macvtaps: nodes with each guest's level, frames from one to the other in mode bridge alone",
  async () => {
    const heard = async (mode: string) => {
      const notes = await onNode(`
        mode=${mode}
        ${MACVTAPS}
        note start svirt start life-a
        note second svirt start life-b
        note facts facts
        note labels sh -c "svirt list --name >/dev/null; cat /proc/$(pid_of life-a)/attr/current /proc/$(pid_of life-b)/attr/current | tr '\\0' '\\n'"
        note words sh -c "tr '\\0' '\\n' </proc/$(pid_of life-a)/cmdline | grep hostnet0"
        note fds ls -l /proc/$(pid_of life-a)/fd
        before=$(count macvtap1 rx_packets)
        announce life-a
        sleep 2
        note heard sh -c "echo $(($(count macvtap1 rx_packets) - before))"
        note stat svirt domifstat life-b macvtap1
        note xml svirt dumpxml life-a
        note audit svirt audit
        svirt destroy life-a >/dev/null
        note left names
        kill -9 $(pid_of life-b)
        svirt list >/dev/null
        note last sh -c "ls /sys/class/net | grep macvtap; ls /dev | grep '^tap'; true"
        note trace left life-a
        note denials denied_since "$begun"
        ${REMOVE}
      `);
      for (const step of ["start", "second"])
        expect([noteOf(notes, step).code, noteOf(notes, step).err]).toEqual([0, ""]);
      return notes;
    };
    const notes = await heard("bridge");
    const ranges = outOf(notes, "labels")
      .split("\n")
      .map((label) => label.split(":").slice(3).join(":"));
    expect(outOf(notes, "facts").split("\n")).toEqual([
      `macvtap0 52:54:00:00:00:01 system_u:object_r:tun_tap_device_t:${ranges[0]}`,
      `macvtap1 52:54:00:00:00:02 system_u:object_r:tun_tap_device_t:${ranges[1]}`,
    ]);
    expect(outOf(notes, "words")).toMatch(/"fds":"\d+:\d+","vhost":true,"vhostfds":"\d+:\d+"/);
    expect(outOf(notes, "fds").match(/ -> \/dev\/tap\d+$/gm)?.length).toBeGreaterThanOrEqual(1);
    expect(Number(outOf(notes, "heard"))).toBeGreaterThan(0);
    expect(outOf(notes, "stat")).toMatch(/^macvtap1 rx_packets [1-9]/m);
    expect(outOf(notes, "xml")).toContain("<target dev='macvtap0'/>");
    expect([noteOf(notes, "audit").code, noteOf(notes, "audit").out]).toEqual([
      0,
      expect.stringContaining("No findings."),
    ]);
    expect(outOf(notes, "left")).toBe("macvtap1");
    for (const none of ["last", "trace", "denials"])
      expect([none, noteOf(notes, none).out.trim()]).toEqual([none, ""]);
    expect(outOf(await heard("private"), "heard")).toBe("0");
  },
);

onTheNode("a svirt that is killed in a start leaves no macvtap", async () => {
  const notes = await onNode(`
    ${MACVTAPS}
    step=$(svirt plan life-a | grep 'make macvtap' | awk '{print $1}')
    note killed svirt start life-a --crash-drill after:$step
    note during names
    note list svirt list
    note after sh -c "ls /sys/class/net | grep macvtap; true"
    note trace left life-a
    ${REMOVE}
  `);
  expect(noteOf(notes, "killed").code).toBe(137);
  expect(outOf(notes, "during")).toBe("macvtap0");
  expect(noteOf(notes, "after").out.trim()).toBe("");
  expect(noteOf(notes, "trace").out).toBe("");
});

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
  // Of another VLAN.
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
    note denials denied_since "$begun"
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
  expect(noteOf(notes, "denials").out).toBe("");
});
