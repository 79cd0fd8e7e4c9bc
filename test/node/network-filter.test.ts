import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { bringLinux, LINUX } from "./linux-guest/on-the-node.ts";
import { REMOVE, SCENE } from "./network/scene.ts";

const onTheNode = await onANode();
bringLinux();

/**
 * Makes `linux NAME OPS MAC IP [FILTER]` define a Linux guest with a filtered card on a bridge with the host.
 */
const GUESTS = `${LINUX}
  # With an address of its own: one that changes with the ports makes the host forget its neighbours.
  ip link add lifebr0 address 52:54:00:00:00:fe type bridge
  ip addr add 192.168.76.1/24 dev lifebr0
  ip link set lifebr0 up
  linux() {
    linux_filter="<filterref filter='\${5-clean-traffic}'><parameter name='IP' value='192.168.76.$4'/></filterref>"
    linux_card="<interface type='bridge'><mac address='52:54:00:00:00:$3'/><source bridge='lifebr0'/><model type='virtio'/>$linux_filter</interface>"
    guest_type=kvm xml "$1" "$linux_card<serial type='file'><source path='$here/$1.serial'/></serial>" | as_linux "$2" >$work/linux.xml
    svirt define $work/linux.xml >/dev/null
  }
  said() { tr -d '\\r' <"$here/$1.serial" | grep '^[a-z]*='; }
`;

onTheNode("a guest that sends as another is stopped, and two that do not reach each other", async () => {
  const notes = await onNode(`${GUESTS}
    linux life-a answer 03 3
    linux life-b ask 04 4
    linux life-n spoof 02 2
    note first svirt start life-a
    wait_for grep -q up=done $here/life-a.serial
    note second svirt start life-b
    wait_gone life-b
    note honest said life-b
    note known wait_for ping -c 1 -w 2 192.168.76.3
    note third svirt start life-n
    note rules nft list tables
    note context context_of $(pid_of life-n)
    wait_gone life-n
    note attacker said life-n
    note neighbours ip neigh
    note audit svirt audit
    svirt destroy life-a >/dev/null
    note left sh -c 'nft list tables; ls /sys/class/net/lifebr0/brif'
    note trace left life-n
    ip link del lifebr0
  `);
  for (const name of ["first", "second", "third"])
    expect(noteOf(notes, name)).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "rules")).toMatch(/table netdev svirt_[0-9a-f]{32}_vnet\d/);
  expect(outOf(notes, "honest").split("\n")).toEqual(["host=done", "guest=done", "end=done"]);
  expect(outOf(notes, "attacker").split("\n")).toEqual([
    "own=done",
    "guest=done",
    "ip=refused",
    "mac=refused",
    "again=done",
    "end=done",
  ]);
  expect(noteOf(notes, "known").code).toBe(0);
  // The host still knows the guest whose address the attacker has announced.
  expect(outOf(notes, "neighbours")).toMatch(/^192\.168\.76\.3 .*52:54:00:00:00:03/m);
  expect(outOf(notes, "audit")).toContain("No findings.");
  expect(noteOf(notes, "left").out).not.toMatch(/netdev|vnet/);
  expect(noteOf(notes, "trace").out).toBe("");
});

onTheNode("without a filter the same guest is believed", async () => {
  const notes = await onNode(`${GUESTS}
    linux life-n spoof 02 2 allow-arp
    note start svirt start life-n
    wait_gone life-n
    note attacker said life-n
    ip link del lifebr0
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "attacker").split("\n")).toEqual([
    "own=done",
    "guest=refused",
    "ip=done",
    "mac=done",
    "again=done",
    "end=done",
  ]);
});

onTheNode(
  "a filter is attached and changed with its card, stays as long as the guest keeps that, and a killed svirt leaves none",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    filtered() { card 03 "" "<filterref filter='$1'><parameter name='IP' value='192.0.2.$2'/></filterref>"; }
    guest life-a "$(disk $here/a.img)"
    svirt start life-a >/dev/null
    filtered clean-traffic 3 >$here/card.xml
    note attach svirt attach-device life-a $here/card.xml
    note rules nft list ruleset
    svirt dumpxml life-a | sed -n '/<interface/,/<\\/interface>/p' | sed 's/192.0.2.3/192.0.2.4/' >$here/other.xml
    note update svirt update-device life-a $here/other.xml
    note changed nft list ruleset
    note detach svirt detach-device life-a $here/other.xml
    note kept nft list tables
    svirt destroy life-a >/dev/null
    note gone nft list tables
    guest life-a "$(disk $here/a.img)$(filtered no-mac-spoofing 3)"
    step=$(svirt plan life-a | grep 'filter the frames' | awk '{print $1}')
    note killed svirt start life-a --crash-drill after:$step
    note during nft list tables
    svirt list >/dev/null
    note after nft list tables
    note trace left life-a
    guest life-a "$(disk $here/a.img)$(card 03 "" "<filterref filter='clean-traffic'/>")"
    note learning svirt start life-a
    ${REMOVE}
  `);
    expect([noteOf(notes, "attach").err, noteOf(notes, "update").err]).toEqual(["", ""]);
    // Its guest has no driver that would release the card.
    expect(noteOf(notes, "detach").code).toBe(6);
    expect(outOf(notes, "kept")).toContain("table netdev svirt_");
    expect(outOf(notes, "rules")).toContain("ip saddr 192.0.2.3 return");
    expect(outOf(notes, "changed")).toContain("ip saddr 192.0.2.4 return");
    expect(outOf(notes, "changed")).not.toContain("192.0.2.3");
    expect(noteOf(notes, "gone").out).not.toContain("netdev");
    expect(noteOf(notes, "killed").code).toBe(137);
    expect(outOf(notes, "during")).toContain("table netdev svirt_");
    expect(noteOf(notes, "after").out).not.toContain("netdev");
    expect(noteOf(notes, "trace").out).toBe("");
    expect(noteOf(notes, "learning").err).toContain("Cannot learn the IP address of the guest");
  },
);

onTheNode("limits of a card are set with it, changed by domiftune, and gone with the guest", async () => {
  const notes = await onNode(`
    ${SCENE}
    limits="<bandwidth><inbound average='1024' peak='2048' burst='64'/><outbound average='512'/></bandwidth>"
    guest life-a "$(disk $here/a.img)$(card 04 "$limits" "")"
    note start svirt start life-a
    note rules nft list ruleset
    note shown svirt domiftune life-a vnet0
    note change svirt domiftune life-a vnet0 --inbound 0 --outbound 256,0,1024
    note changed nft list ruleset
    note config svirt domiftune life-a 52:54:00:00:00:04 --config
    svirt destroy life-a >/dev/null
    note left nft list tables
    note trace left life-a
    ${REMOVE}
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "change")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "rules")).toMatch(/limit rate over 5(?:00 kbytes|12000 bytes)\/second/);
  expect(outOf(notes, "shown")).toContain("inbound.average: 1024");
  expect(outOf(notes, "changed")).toMatch(/limit rate over 2(?:50 kbytes|56000 bytes)\/second/);
  expect(outOf(notes, "config")).toContain("outbound.average: 512");
  expect(noteOf(notes, "left").out).not.toContain("netdev");
  expect(noteOf(notes, "trace").out).toBe("");
});
