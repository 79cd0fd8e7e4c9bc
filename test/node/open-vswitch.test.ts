import { expect } from "bun:test";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { OPEN_VSWITCH } from "./programs/open-vswitch.ts";

// Guests on an Open vSwitch bridge, with the policy enforcing.

const onTheNode = await onANode();
const TIMEOUT_MS = 240_000;
const ID = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f";

/** Two guests, the second without a driver for its card: the switch counts the frames that it sends there. */
const SCENE = `
  clean
  ${OPEN_VSWITCH}
  copy halt a.img b.img
  serve_switch
  card() {
    printf '<interface type="bridge"><mac address="52:54:00:00:00:%s"/><source bridge="ovsbr0"/>%s<virtualport type="openvswitch"/>%s<model type="%s"/></interface>' "$1" "$2" "\${4-}" "$3"
  }
  announce() {
    svirt qemu-monitor-command "$1" '{"execute":"announce-self","arguments":{"initial":50,"max":100,"rounds":5,"step":10}}' >/dev/null
  }
  count() { cat /sys/class/net/$1/statistics/$2; }
  heard() {
    heard_before=$(count life-tap tx_packets)
    announce life-a
    sleep 3
    echo $(($(count life-tap tx_packets) - heard_before))
  }
  hears() { for hears_try in 1 2 3 4 5; do [ "$(heard)" = 0 ] || return 0; done; return 1; }
  finish() {
    for name in life-a life-b life-n; do
      svirt destroy $name >/dev/null 2>&1
      svirt undefine $name >/dev/null 2>&1
    done
    end_switch
    clean
  }
`;

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names)
    expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
}

onTheNode(
  "two guests on an Open vSwitch bridge have ports in their VLANs, which end with them",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    guest life-a "$(disk $here/a.img)$(card 01 '<vlan><tag id="7"/></vlan>' virtio)"
    guest life-b "$(disk $here/b.img)$(card 02 '<vlan><tag id="7"/></vlan>' rtl8139 '<target dev="life-tap"/>')"
    note context context_of $(pidof ovsdb-server)
    note plan svirt plan life-a
    note start svirt start life-a
    note second svirt start life-b
    note ports ports
    note tag of_port vnet0 tag
    note ids of_interface vnet0 external_ids
    note defined sh -c "svirt dumpxml life-a --inactive | grep interfaceid"
    note live sh -c "svirt dumpxml life-a | grep interfaceid"
    note same hears
    vsctl set Port life-tap tag=8
    # The switch revalidates its flows.
    sleep 2
    note other heard
    note list svirt domiflist life-a
    note audit svirt audit
    card 03 "" virtio >$here/card.xml
    note attach svirt attach-device life-a $here/card.xml
    note attached ports
    note destroy svirt destroy life-a
    note left ports
    note trace left life-a
    kill -9 $(pid_of life-b)
    wait_gone life-b
    note last ports
    finish
  `);
    expect(outOf(notes, "context")).toBe("system_u:system_r:openvswitch_t:s0");
    expectDone(notes, "start", "second", "audit", "attach", "destroy");
    expect(outOf(notes, "plan")).toMatch(
      /set up tap vnet0: MAC fe:54:00:00:00:01, MTU 1500, on Open vSwitch bridge ovsbr0, interface [0-9a-f-]{36}, VLAN 7, up/,
    );
    expect(outOf(notes, "ports").split("\n").toSorted()).toEqual(["life-tap", "vnet0"]);
    expect(outOf(notes, "tag")).toBe("7");
    const [, id = ""] = /interfaceid='([^']+)'/.exec(outOf(notes, "defined")) ?? [];
    expect(outOf(notes, "live")).toContain(id);
    expect(outOf(notes, "ids")).toContain(`iface-id="${id}"`);
    expect(noteOf(notes, "same").code).toBe(0);
    expect(outOf(notes, "other")).toBe("0");
    expect(outOf(notes, "list")).toMatch(/vnet0 +bridge +ovsbr0 +virtio +52:54:00:00:00:01/);
    expect(outOf(notes, "attached").split("\n").toSorted()).toEqual(["life-tap", "vnet0", "vnet1"]);
    expect(outOf(notes, "left")).toBe("life-tap");
    for (const name of ["trace", "last"]) expect(noteOf(notes, name).out.trim()).toBe("");
  },
  { timeoutMs: TIMEOUT_MS },
);

onTheNode(
  "a port group of a network gives a guest its VLANs on Open vSwitch; a start that is killed leaves no port",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    cat >$here/net.xml <<XML
<network><name>life-net</name><forward mode='bridge'/><bridge name='ovsbr0'/><virtualport type='openvswitch'/>
<portgroup name='blue'><vlan trunk='yes'><tag id='42'/><tag id='48'/></vlan></portgroup></network>
XML
    note create svirt net-create $here/net.xml
    guest life-n "<interface type='network'><source network='life-net' portgroup='blue'/><virtualport type='openvswitch'><parameters interfaceid='${ID}' profileid='bob'/></virtualport><model type='virtio'/></interface>"
    note start svirt start life-n
    note trunks of_port vnet0 trunks
    note ids of_interface vnet0 external_ids
    note xml svirt dumpxml life-n
    svirt destroy life-n >/dev/null
    note left ports
    step=$(svirt plan life-n | grep 'set up tap' | awk '{print $1}')
    note killed svirt start life-n --crash-drill after:$step
    note during ports
    note recover svirt list
    note after ports
    note trace left life-n
    svirt net-destroy life-net >/dev/null
    finish
  `);
    expectDone(notes, "create", "start");
    expect(outOf(notes, "trunks")).toBe("[42, 48]");
    expect(outOf(notes, "ids")).toContain(`iface-id="${ID}", iface-status=active, port-profile=bob`);
    expect(outOf(notes, "xml")).toMatch(
      /<source network='life-net' portgroup='blue' portid='[^']+' bridge='ovsbr0'\/>/,
    );
    expect(noteOf(notes, "killed").code).toBe(137);
    expect(outOf(notes, "during")).toBe("vnet0");
    for (const name of ["left", "after", "trace"]) expect(noteOf(notes, name).out.trim()).toBe("");
  },
  { timeoutMs: TIMEOUT_MS },
);

onTheNode(
  "a guest ends while Open vSwitch is down, and the next call removes its port when it runs again",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    guest life-a "$(disk $here/a.img)$(card 01 "" virtio)"
    svirt start life-a >/dev/null
    for pid in $(pidof ovsdb-server); do kill -STOP $pid; done
    note destroy svirt destroy life-a
    for pid in $(pidof ovsdb-server); do kill -CONT $pid; done
    vsctl --no-wait list-br >/dev/null
    # A recovery waits for some seconds only, and on a busy host the switch takes longer to answer again.
    for try in 1 2 3 4 5; do
      note list svirt list
      [ "$(ports)" != "" ] || break
    done
    note after ports
    note trace left life-a
    finish
  `);
    expect(noteOf(notes, "destroy").err).toContain(
      "Unable to delete port vnet0 from OVS: its database does not answer",
    );
    // With its warning, if the port has stayed.
    for (const name of ["after", "trace"])
      expect([noteOf(notes, "list").err, noteOf(notes, name).out.trim()]).toEqual([expect.anything(), ""]);
  },
  { timeoutMs: TIMEOUT_MS },
);
