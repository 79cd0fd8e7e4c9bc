import { describe, expect, test } from "bun:test";
import { listNetworkEntries, readNetwork } from "../../../src/state/networks/networks.ts";
import { markNetwork } from "../../../src/vm/network/autostart-network.ts";
import { defineNetwork, undefineNetwork } from "../../../src/vm/network/define-network.ts";
import { findNetwork } from "../../../src/vm/network/find-network.ts";
import { createNetwork, startNetwork } from "../../../src/vm/network/start-network.ts";
import { snapshot } from "../../memory-host/machine.ts";
import { BRIDGE, LAN_UUID, networkXml } from "../../scenes/networks.ts";
import { errorOf, makeMachine, nodeOn, OTHER, putText } from "../../scenes/scene.ts";

const PATH = "/etc/svirt/networks/lan.xml";

describe("defineNetwork()", () => {
  test("stores a network in libvirt's form, under which name and uuid find it", async () => {
    const node = nodeOn(makeMachine());
    await defineNetwork(node, networkXml(BRIDGE, "lan", LAN_UUID));
    const xml = `<network>
  <name>lan</name>
  <uuid>${LAN_UUID}</uuid>
  <forward mode='bridge'/>
  <bridge name='br0'/>
</network>
`;
    expect(findNetwork(node, "lan")).toEqual({
      name: "lan",
      uuid: LAN_UUID,
      defined: xml,
      active: undefined,
    });
    expect(findNetwork(node, LAN_UUID.replaceAll("-", "").toUpperCase()).name).toBe("lan");
    for (const missing of [OTHER, "a".repeat(300), "é".repeat(101), "../networks/lan", ""])
      expect(() => findNetwork(node, missing)).toThrow(`failed to get network '${missing}'`);
  });

  test.each(["none", "nat", "route", "open", "private", "vepa", "passthrough", "hostdev"])(
    "stores a network of mode %s",
    async (mode) => {
      const node = nodeOn(makeMachine());
      const content = mode === "none" ? "" : `<forward mode='${mode}'/>`;
      const ip = ["nat", "route", "open"].includes(mode) ? "<ip address='10.0.0.1' prefix='24'/>" : "";
      await defineNetwork(node, networkXml(content + ip));
      expect(listNetworkEntries(node)).toEqual([
        { name: "lan", isActive: false, isAutostarted: false, isPersistent: true },
      ]);
    },
  );

  test("gives a network without a uuid a new one, and keeps that when it is defined again", async () => {
    const node = nodeOn(makeMachine());
    const first = await defineNetwork(node, networkXml(BRIDGE));
    expect(first.uuid).toMatch(/^[0-9a-f-]{36}$/);
    expect(await defineNetwork(node, networkXml(BRIDGE.replace("br0", "br1")))).toEqual(first);
    expect(findNetwork(node, "lan").defined).toContain("<bridge name='br1'/>");
  });

  test("gives a network the first bridge that neither the host nor another network has", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    machine.taps.addBridge("virbr0");
    await defineNetwork(node, networkXml("", "first"));
    await defineNetwork(node, networkXml("", "second"));
    // Defined again, it keeps no bridge to itself, and virbr1 is its own.
    await defineNetwork(node, networkXml("", "first"));
    expect(
      ["first", "second"].map(
        (name) => /<bridge name='([^']*)'/.exec(findNetwork(node, name).defined ?? "")?.[1],
      ),
    ).toEqual(["virbr1", "virbr2"]);
    const error = await errorOf(defineNetwork(node, networkXml("<bridge name='virbr2'/>", "third")));
    expect([error.kind, error.message]).toEqual([
      "in-use",
      "internal error: bridge name 'virbr2' already in use.",
    ]);
  });

  test.each([
    ["the name with another uuid", "lan", OTHER],
    ["the uuid with another name", "wan", LAN_UUID],
  ])("refuses %s, in libvirt's words, and changes nothing", async (_, name, uuid) => {
    const machine = makeMachine();
    await defineNetwork(nodeOn(machine), networkXml(BRIDGE, "lan", LAN_UUID));
    const before = snapshot(machine);
    const error = await errorOf(defineNetwork(nodeOn(machine), networkXml(BRIDGE, name, uuid)));
    expect([error.message, error.libvirt.name]).toEqual([
      `operation failed: network 'lan' is already defined with uuid ${LAN_UUID}`,
      "VIR_ERR_OPERATION_FAILED",
    ]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("refuses the uuid of a network that is only active", async () => {
    const node = nodeOn(makeMachine());
    await createNetwork(node, networkXml(BRIDGE, "lan", LAN_UUID));
    const error = await errorOf(defineNetwork(node, networkXml(BRIDGE, "wan", LAN_UUID)));
    expect(error.kind).toBe("in-use");
  });

  test.each([
    ["<forward mode='bridge'/><bridge name='a b'/>", "xml"],
    [`${BRIDGE}<ip address='10.0.0.1'/>`, "unsupported"],
    ["<frob/>", "xml"],
  ])("refuses %s and changes nothing", async (content, kind) => {
    const machine = makeMachine();
    const before = snapshot(machine);
    const error = await errorOf(defineNetwork(nodeOn(machine), networkXml(content)));
    expect([error.kind, snapshot(machine)]).toEqual([kind as typeof error.kind, before]);
  });

  test.each(["../lan", "a/b", ".", ".."])("refuses the name %s", async (name) => {
    const machine = makeMachine();
    const before = snapshot(machine);
    const error = await errorOf(defineNetwork(nodeOn(machine), networkXml(BRIDGE, name)));
    expect([error.place, snapshot(machine)]).toEqual(["/network/name", before]);
  });

  test("replaces a file that was written by hand, which no other command takes", async () => {
    const machine = makeMachine();
    const text = new TextDecoder().decode(networkXml(BRIDGE));
    putText(machine, PATH, text);
    const error = await errorOf((async () => findNetwork(nodeOn(machine), "lan"))());
    expect([error.kind, error.remedy]).toEqual(["failed", `Define it: svirt net-define ${PATH}`]);
    // Other networks are found, by uuid too.
    await defineNetwork(nodeOn(machine), networkXml(BRIDGE, "wan", OTHER));
    expect(findNetwork(nodeOn(machine), OTHER).name).toBe("wan");
    const { uuid } = await defineNetwork(nodeOn(machine), new TextEncoder().encode(text));
    expect(findNetwork(nodeOn(machine), "lan").uuid).toBe(uuid);
  });
});

describe("undefineNetwork()", () => {
  test("leaves nothing of an inactive network: no definition, no mark", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    await defineNetwork(node, networkXml(BRIDGE));
    await markNetwork(node, "lan", true);
    expect(listNetworkEntries(node)).toMatchObject([{ name: "lan", isAutostarted: true }]);
    await undefineNetwork(node, "lan");
    expect(listNetworkEntries(node)).toEqual([]);
    expect(snapshot(machine).filter((line) => line.includes("lan"))).toEqual([]);
  });

  test("leaves an active network active, which then has no definition", async () => {
    const node = nodeOn(makeMachine());
    await defineNetwork(node, networkXml(BRIDGE));
    await startNetwork(node, "lan");
    await undefineNetwork(node, "lan");
    expect(listNetworkEntries(node)).toEqual([
      { name: "lan", isActive: true, isAutostarted: false, isPersistent: false },
    ]);
    const error = await errorOf(undefineNetwork(node, "lan"));
    expect([error.kind, error.message]).toEqual([
      "wrong-state",
      "Requested operation is not valid: can't undefine transient network",
    ]);
  });

  test("of two at once, one finds no network", async () => {
    const machine = makeMachine();
    await defineNetwork(nodeOn(machine), networkXml(BRIDGE));
    const both = await Promise.allSettled([
      undefineNetwork(nodeOn(machine), "lan"),
      undefineNetwork(nodeOn(machine), "lan"),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("markNetwork()", () => {
  test("refuses a network without a definition, in libvirt's words", async () => {
    const node = nodeOn(makeMachine());
    await createNetwork(node, networkXml(BRIDGE));
    const error = await errorOf(markNetwork(node, "lan", true));
    expect([error.kind, error.message]).toEqual([
      "wrong-state",
      "Requested operation is not valid: cannot set autostart for transient network",
    ]);
  });

  test("leaves a mark that is there, and its removal may be repeated", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    await defineNetwork(node, networkXml(BRIDGE));
    await markNetwork(node, "lan", true);
    const before = snapshot(machine);
    await markNetwork(node, "lan", true);
    expect(snapshot(machine)).toEqual(before);
    expect(machine.files.get("/etc/svirt/networks/autostart").entries.get("lan.xml")?.target).toBe(
      "../lan.xml",
    );
    await markNetwork(node, "lan", false);
    await markNetwork(node, "lan", false);
    expect(listNetworkEntries(node)).toMatchObject([{ isAutostarted: false }]);
    expect(readNetwork(node, "lan")?.defined).toContain("br0");
  });
});
