import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/** A network with limits, and `limited NAME MAC FLOOR` that defines a guest with a share of it. */
const SCENE = `
  clean
  copy halt a.img b.img
  cat >$work/net.xml <<END
<network><name>life-net</name><forward mode='nat'/><bridge name='lifebr7'/><ip address='192.168.77.1' prefix='24'/>
<bandwidth><inbound average='1000'/><outbound average='500'/></bandwidth>
<portgroup name='slow'><bandwidth><inbound average='100'/></bandwidth></portgroup></network>
END
  limited() {
    guest "$1" "$(disk $here/$2.img)<interface type='network'><mac address='52:54:00:00:00:$3'/><source network='life-net' portgroup='slow'/><model type='virtio'/>$4</interface>"
  }
  svirt net-create $work/net.xml >/dev/null
`;
const END = "svirt net-destroy life-net >/dev/null";

onTheNode(
  "shares of a network's bandwidth come and go with guests, and more than all is refused",
  async () => {
    const notes = await onNode(`${SCENE}
    limited life-a a 01 "<bandwidth><inbound floor='600'/></bandwidth>"
    limited life-b b 02 "<bandwidth><inbound floor='401'/></bandwidth>"
    note start svirt start life-a
    note more svirt start life-b
    note change svirt domiftune life-a vnet0 --inbound 0,0,0,500
    note second svirt start life-b
    note shown svirt domiftune life-b vnet1
    note tables nft list tables
    note audit svirt audit
    svirt destroy life-a >/dev/null
    svirt destroy life-b >/dev/null
    step=$(svirt plan life-a | grep 'guarantee' | awk '{print $1}')
    note killed svirt start life-a --crash-drill after:$step
    svirt list >/dev/null
    note again svirt start life-b
    svirt destroy life-b >/dev/null
    note end svirt net-destroy life-net
    note left nft list tables
    note trace left life-a
  `);
    for (const name of ["start", "change", "second", "again", "end"])
      expect(noteOf(notes, name)).toMatchObject({ code: 0, err: "" });
    expect(noteOf(notes, "more").err).toContain(
      "Cannot plug '52:54:00:00:00:02' interface into 'lifebr7' because new combined inbound floor=1001 would overcommit average=1000 on network 'life-net'",
    );
    expect(outOf(notes, "shown")).toContain("inbound.floor  : 401");
    expect(outOf(notes, "tables")).toMatch(/netdev svirt_limit_[0-9a-f]{32}_lifebr7/);
    expect(outOf(notes, "audit")).toContain("No findings.");
    expect(noteOf(notes, "killed").code).toBe(137);
    expect(noteOf(notes, "left").out).not.toContain("svirt");
    expect(noteOf(notes, "trace").out).toBe("");
  },
);

onTheNode(
  "rules that nft flush ruleset has removed are found by an audit and set again by recover",
  async () => {
    const notes = await onNode(`${SCENE}
    limited life-a a 01 "<filterref filter='no-mac-spoofing'/>"
    note start svirt start life-a
    note group svirt domiftune life-a vnet0
    note before nft list tables
    nft flush ruleset
    note audit svirt audit
    note recover svirt recover
    note after nft list tables
    note again svirt audit
    svirt destroy life-a >/dev/null
    ${END}
    note trace left life-a
  `);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    expect(outOf(notes, "group")).toContain("inbound.average: 100");
    expect(noteOf(notes, "audit").code).toBe(1);
    expect(noteOf(notes, "audit").out.match(/is missing; run svirt recover/g)).toHaveLength(3);
    expect(outOf(notes, "recover")).toContain("Packet rules of domain 'life-a' set again");
    expect(outOf(notes, "recover")).toContain("Packet rules of network 'life-net' set again");
    expect(outOf(notes, "after").split("\n").toSorted()).toEqual(
      outOf(notes, "before").split("\n").toSorted(),
    );
    expect(outOf(notes, "again")).toContain("No findings.");
    expect(noteOf(notes, "trace").out).toBe("");
  },
);
