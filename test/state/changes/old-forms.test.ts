import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import { readSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { findNetwork } from "../../../src/vm/network/find-network.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { having, POOL, started } from "../../scenes/network-updates.ts";
import { LAN_UUID, networkXml } from "../../scenes/networks.ts";
import { diskXml, domainXml, makeMachine, nodeOn, putText, UUID } from "../../scenes/scene.ts";
import { TOP, takeDisks } from "../../scenes/snapshots.ts";

/** Records as svirt 0.9 wrote them, before each kind of object had the same form. */
const BRIDGE = "/run/svirt/network-bridge.json";
const UPDATE = "/run/svirt/network-update.json";
const RENAME = "/etc/svirt/rename.json";
const IMAGES = `/var/lib/svirt/snapshot-changes/${UUID}.json`;

async function recovered(machine: Machine, path: string): Promise<void> {
  expect((await auditNode(nodeOn(machine))).findings).toContain(
    `${path}: a change of an older svirt was interrupted; run svirt recover`,
  );
  expect((await recoverAll(nodeOn(machine))).errors).toEqual([]);
  expect(machine.files.find(path)).toBeUndefined();
  expect(nodeOn(machine).host.listFolder("/etc/svirt/changes")).toEqual([]);
  expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
}

describe("a record that an older svirt has left is finished once by svirt recover", () => {
  test("of the bridge of an inactive network, with its rules and its server", async () => {
    const machine = makeMachine();
    machine.files.putFolder("/sys/class/net");
    const bridge = { name: "virbr7", mac: "52:54:00:00:00:77" };
    const { host } = nodeOn(machine);
    host.makeBridge({ ...bridge, stp: true, delaySeconds: 0, addresses: [], routes: [], isIsolated: false });
    const table = `ip svirt_${LAN_UUID.replaceAll("-", "")}`;
    await host.setPacketRules(`table ${table} {\n  chain a {\n  }\n}\n`);
    expect(machine.packetRules.tables.size).toBe(1);
    putText(
      machine,
      BRIDGE,
      JSON.stringify({ network: "lan", bridge, rulesOf: LAN_UUID, serverOf: LAN_UUID }),
    );
    await recovered(machine, BRIDGE);
    expect([machine.packetRules.tables.size, machine.files.find("/sys/class/net/virbr7")]).toEqual([
      0,
      undefined,
    ]);
  });

  test("of two documents of a network", async () => {
    const machine = await started();
    const { active = "", defined = "" } = findNetwork(nodeOn(machine), "lan");
    const after = (xml: string): string => xml.replaceAll("eth0", "eth1");
    putText(
      machine,
      UPDATE,
      JSON.stringify({
        name: "lan",
        request: "x",
        before: { active, defined },
        after: { active: after(active), defined: after(defined) },
      }),
    );
    await recovered(machine, UPDATE);
    expect(having(machine, "eth1")).toEqual(["active", "defined"]);
  });

  test("of a domain with two names", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    const { host } = nodeOn(machine);
    const xml = host.readText("/etc/svirt/domains/vm1.xml") ?? "";
    putText(machine, "/etc/svirt/domains/new.xml", xml.replace("<name>vm1<", "<name>new<"));
    putText(machine, RENAME, JSON.stringify({ uuid: UUID, from: "vm1", to: "new", isMarked: true }));
    await recovered(machine, RENAME);
    expect(readDefinition(nodeOn(machine), "vm1")).toBeUndefined();
    expect(readDefinition(nodeOn(machine), "new")?.uuid).toBe(UUID);
    expect(machine.files.find("/etc/svirt/autostart/new.xml", false)).toBeDefined();
  });

  test.each(["made", "not made"])("of the images of a domain that was off, if they are %s", async (is) => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(TOP, "vda") }));
    const { host } = nodeOn(machine);
    const before = host.readText("/etc/svirt/domains/vm1.xml") ?? "";
    await takeDisks(nodeOn(machine), "s1");
    const definition = host.readText("/etc/svirt/domains/vm1.xml") ?? "";
    const [, path = ""] = /<source file='([^']*)'/.exec(definition) ?? [];
    const tree = readSnapshots(nodeOn(machine), UUID);
    machine.files.remove(`/var/lib/svirt/snapshots/${UUID}.json`);
    if (is === "not made") putText(machine, "/etc/svirt/domains/vm1.xml", before);
    const image = { format: "qcow2", sizeBytes: 1024 * 1024, backing: { path: TOP, format: "qcow2" } };
    const images = [{ path, image }];
    putText(machine, IMAGES, JSON.stringify({ name: "vm1", images, definition, tree }));
    await recovered(machine, IMAGES);
    const isMade = is === "made";
    expect(machine.files.find(path) !== undefined).toBe(isMade);
    expect(readSnapshots(nodeOn(machine), UUID)).toEqual(isMade ? tree : { snapshots: [] });
    expect(host.readText("/etc/svirt/domains/vm1.xml")).toBe(isMade ? definition : before);
  });

  test("also by the next command that changes a network", async () => {
    const machine = makeMachine();
    machine.files.putFolder("/sys/class/net");
    const bridge = { name: "virbr7", mac: "52:54:00:00:00:77" };
    putText(machine, BRIDGE, JSON.stringify({ network: "lan", bridge }));
    await defineNetwork(nodeOn(machine), networkXml(POOL));
    expect(machine.files.find(BRIDGE)).toBeUndefined();
  });
});

test("a damaged record of an older svirt is named by svirt recover, with its path", async () => {
  const machine = makeMachine();
  for (const path of [BRIDGE, UPDATE, RENAME, IMAGES]) {
    putText(machine, path, "{");
    const { errors } = await recoverAll(nodeOn(machine));
    expect(errors.map(({ message }) => message)).toEqual([
      `Cannot read the record of a change ${path}: it is damaged`,
    ]);
    machine.files.remove(path);
  }
});
