import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { REMOVE, SCENE } from "./network/scene.ts";

const onTheNode = await onANode();

/**
 * Two guests, each with a macvtap on the same device: a bridge of the node, which works as any device does.
 */
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
        wait_gone life-b
        note last sh -c "ls /sys/class/net | grep macvtap; ls /dev | grep '^tap'; true"
        note trace left life-a
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
    for (const none of ["last", "trace"]) expect([none, noteOf(notes, none).out.trim()]).toEqual([none, ""]);
    // In mode vepa a frame reaches the neighbour only if a switch sends it back; this device has none.
    for (const mode of ["private", "vepa"])
      expect([mode, outOf(await heard(mode), "heard")]).toEqual([mode, "0"]);
  },
);

onTheNode("a macvtap in mode passthrough has the device below, which is given its address back", async () => {
  const notes = await onNode(`
    ${MACVTAPS}
    ip link add svirtbr9 address 52:54:00:00:00:99 type bridge
    ip link set svirtbr9 up
    xml life-a "$(disk $here/a.img)$(direct 01 passthrough)" | sed s/svirtbr0/svirtbr9/ >$work/a.xml
    svirt define $work/a.xml >/dev/null
    below() { cat /sys/class/net/svirtbr9/address; }
    note start svirt start life-a
    note mode sh -c "ip -d link show macvtap0 | grep -o 'mode [a-z]*'"
    note during below
    note second sh -c "svirt dumpxml life-a | sed 's/life-a/life-c/; /<uuid>/d; s/:00:01/:00:03/; s/a[.]img/b.img/; /seclabel/,/seclabel/d' | svirt create -"
    note still names
    svirt destroy life-a >/dev/null
    note after below
    note trace left life-a
    ip link del svirtbr9
    ${REMOVE}
  `);
  expect([noteOf(notes, "start").code, noteOf(notes, "start").err]).toEqual([0, ""]);
  expect(outOf(notes, "during")).toBe("52:54:00:00:00:01");
  expect(noteOf(notes, "second").code).not.toBe(0);
  expect(outOf(notes, "still")).toBe("macvtap0");
  expect(outOf(notes, "after")).toBe("52:54:00:00:00:99");
  expect(noteOf(notes, "trace").out).toBe("");
});

onTheNode("a running guest is given a macvtap with its level, hears by it, and lets go of it", async () => {
  const notes = await onNode(`
    ${MACVTAPS}
    svirt start life-a >/dev/null
    guest life-b "$(disk $here/b.img)"
    svirt start life-b >/dev/null
    direct 05 bridge >$work/card.xml
    note attach svirt attach-device life-b $work/card.xml
    note facts facts
    note range sh -c "tr -d '\\0' </proc/$(pid_of life-b)/attr/current"
    before=$(count macvtap1 rx_packets)
    announce life-a
    sleep 2
    note heard sh -c "echo $(($(count macvtap1 rx_packets) - before))"
    note audit svirt audit
    note xml svirt dumpxml life-b
    note other svirt attach-interface life-b direct svirtbr0 --mac 52:54:00:00:00:06
    note both names
    kill -9 $(pid_of life-b)
    wait_gone life-b
    note left names
    ${REMOVE}
  `);
  expect([noteOf(notes, "attach").code, noteOf(notes, "attach").err]).toEqual([0, ""]);
  const range = outOf(notes, "range").split(":").slice(3).join(":");
  expect(outOf(notes, "facts").split("\n")[1]).toBe(
    `macvtap1 52:54:00:00:00:05 system_u:object_r:tun_tap_device_t:${range}`,
  );
  expect(Number(outOf(notes, "heard"))).toBeGreaterThan(0);
  expect(outOf(notes, "audit")).toContain("No findings.");
  expect(outOf(notes, "xml")).toContain("<target dev='macvtap1'/>");
  expect([noteOf(notes, "other").code, noteOf(notes, "other").err]).toEqual([0, ""]);
  expect(outOf(notes, "both").split("\n")).toEqual(["macvtap0", "macvtap1", "macvtap2"]);
  expect(outOf(notes, "left")).toBe("macvtap0");
});

onTheNode("a svirt that is killed in a start leaves no macvtap", async () => {
  const notes = await onNode(`
    ${MACVTAPS}
    step=$(svirt plan life-a | grep 'create macvtap' | awk '{print $1}')
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

onTheNode(
  "guests on a network of devices in mode passthrough have a device each, and the next one waits for it",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    for at in 8 9; do
      ip link add svirtbr$at address 52:54:00:00:00:9$at type bridge
      ip link set svirtbr$at up
    done
    echo "<network><name>life-net</name><forward mode='passthrough'><interface dev='svirtbr8'/><interface dev='svirtbr9'/></forward></network>" >$work/net.xml
    on_net() { printf '<interface type="network"><mac address="52:54:00:00:00:%s"/><source network="life-net"/><model type="virtio"/></interface>' "$1"; }
    guest life-k "$(on_net 11)"
    guest life-l "$(on_net 12)"
    guest life-m "$(on_net 13)"
    below() { cat /sys/class/net/svirtbr8/address /sys/class/net/svirtbr9/address; }
    svirt net-define $work/net.xml >/dev/null
    note net svirt net-start life-net
    svirt start life-k >$work/k 2>&1 &
    svirt start life-l >$work/l 2>&1 &
    wait
    note started cat $work/k $work/l
    note during below
    note third svirt start life-m
    note xml svirt dumpxml life-k
    note uses svirt net-dumpxml life-net
    note ports svirt net-port-list life-net --uuid
    note audit svirt audit
    svirt destroy life-k >/dev/null
    note later svirt start life-m
    svirt destroy life-l >/dev/null
    svirt destroy life-m >/dev/null
    note after below
    svirt net-destroy life-net >/dev/null
    svirt net-undefine life-net >/dev/null
    ip link del svirtbr8
    ip link del svirtbr9
    ${REMOVE}
  `);
    expect([noteOf(notes, "net").code, noteOf(notes, "net").err]).toEqual([0, ""]);
    expect(outOf(notes, "started").split("\n").filter(Boolean).toSorted()).toEqual([
      "Domain 'life-k' started",
      "Domain 'life-l' started",
    ]);
    expect(outOf(notes, "during").split("\n").toSorted()).toEqual(["52:54:00:00:00:11", "52:54:00:00:00:12"]);
    expect(noteOf(notes, "third").err).toContain(
      "network 'life-net' requires exclusive access to interfaces, but none are available",
    );
    expect(outOf(notes, "xml")).toMatch(
      /<source network='life-net' portid='[^']+' dev='svirtbr[89]' mode='passthrough'\/>/,
    );
    expect(outOf(notes, "uses")).toContain("<interface dev='svirtbr9' connections='1'/>");
    expect(outOf(notes, "ports").split("\n")).toHaveLength(2);
    expect([noteOf(notes, "audit").code, noteOf(notes, "audit").out]).toEqual([
      0,
      expect.stringContaining("No findings."),
    ]);
    expect([noteOf(notes, "later").code, noteOf(notes, "later").err]).toEqual([0, ""]);
    expect(outOf(notes, "after").split("\n")).toEqual(["52:54:00:00:00:98", "52:54:00:00:00:99"]);
  },
);
