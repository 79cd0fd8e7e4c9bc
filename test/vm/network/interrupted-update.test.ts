import { describe, expect, test } from "bun:test";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { findNetwork } from "../../../src/vm/network/find-network.ts";
import { destroyNetwork } from "../../../src/vm/network/start-network.ts";
import { updateStoredNetwork } from "../../../src/vm/network/update-network.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { BOTH, having, POOL, started, WEB } from "../../scenes/network-updates.ts";
import { networkXml } from "../../scenes/networks.ts";
import { errorOf, nodeOn, putText } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work, withoutInodes } from "../../scenes/strikes.ts";

describe.each(["crash", "fail"] as const)(
  "an update of both documents, struck by a %s at any call",
  (how) => {
    const both: Work = (node) => updateStoredNetwork(node, "lan", { options: BOTH, update: WEB });

    /**
     * Strikes the update at each instant, does the next work, and looks at the documents that have the entry.
     */
    async function afterEach(next: Work, look: (machine: Machine, place: string) => void): Promise<void> {
      const instants = await instantsOf(started, both);
      expect(instants.length).toBeGreaterThan(8);
      for (const strike of instants) {
        const machine = await started();
        await beStruck(machine, both, { ...strike, how });
        await next(nodeOn(machine));
        look(machine, `${strike.moment} call ${strike.at}`);
      }
    }

    test("is whole after its repetition, once", async () => {
      const repeat: Work = async (node) => {
        try {
          await both(node);
        } catch (error) {
          // The struck update was whole.
          expect(String(error)).toContain("there is an existing portgroup entry");
        }
      };
      await afterEach(repeat, (machine, place) => {
        expect([place, ...having(machine, "<portgroup name='web'>")]).toEqual([place, "active", "defined"]);
        expect([place, findNetwork(nodeOn(machine), "lan").active?.split("<portgroup").length]).toEqual([
          place,
          2,
        ]);
        expect(recordsOf(machine)).toEqual([]);
      });
    });

    test("is whole or not begun after any other change of networks", async () => {
      const other: Work = (node) => defineNetwork(node, networkXml(POOL, "other"));
      const seen = new Set<string>();
      await afterEach(other, (machine, place) => {
        const found = having(machine, "<portgroup name='web'>").join();
        expect([place, ["", "active,defined"].includes(found)]).toEqual([place, true]);
        seen.add(found);
      });
      expect([...seen].toSorted()).toEqual(["", "active,defined"]);
    });

    test("does not bring back a network that is destroyed next", async () => {
      await afterEach(
        (node) => destroyNetwork(node, "lan"),
        (machine, place) => {
          expect([place, findNetwork(nodeOn(machine), "lan").active]).toEqual([place, undefined]);
        },
      );
    });
  },
);

describe("an update of both documents that was killed", () => {
  const both: Work = (node) => updateStoredNetwork(node, "lan", { options: BOTH, update: WEB });
  const DEFINED = "/etc/svirt/networks/lan.xml";
  const ACTIVE = "/run/svirt/networks/lan.xml";

  /** Returns machines with a record of an update, after each kill that leaves one. */
  async function killed(): Promise<readonly Machine[]> {
    const machines: Machine[] = [];
    for (const strike of await instantsOf(started, both)) {
      const machine = await started();
      await beStruck(machine, both, strike);
      if (recordsOf(machine).length > 0) machines.push(machine);
    }
    expect(machines.length).toBeGreaterThan(4);
    return machines;
  }

  const other: Work = (node) => defineNetwork(node, networkXml(POOL, "other"));

  test("does not bring back a definition or an active network whose file was removed by hand", async () => {
    for (const machine of await killed()) {
      machine.files.remove(DEFINED);
      machine.files.remove(ACTIVE);
      await other(nodeOn(machine));
      expect(machine.files.find(DEFINED)).toBeUndefined();
      expect(machine.files.find(ACTIVE)).toBeUndefined();
      expect(recordsOf(machine)).toEqual([]);
    }
  });

  test("leaves a definition that was edited by hand, and undoes the change of the active network", async () => {
    for (const machine of await killed()) {
      const text = new TextDecoder().decode(machine.files.get(DEFINED).bytes);
      const edited = text.replace("eth0", "eth7");
      machine.files.get(DEFINED).bytes = new TextEncoder().encode(edited);
      await other(nodeOn(machine));
      expect(findNetwork(nodeOn(machine), "lan").defined).toBe(edited);
      expect(having(machine, "<portgroup name='web'>")).not.toContain("active");
    }
  });

  test("does not keep a network with a damaged definition from being defined again", async () => {
    for (const machine of await killed()) {
      machine.files.get(DEFINED).bytes = new TextEncoder().encode("damaged");
      await defineNetwork(nodeOn(machine), networkXml(POOL));
      expect(having(machine, "eth0")).toEqual(["active", "defined"]);
    }
  });

  test("with a damaged record stops changes of its network with its path, and no look at it nor another network's change", async () => {
    for (const text of ["", "{", "[]", '{"name":"lan"}']) {
      const machine = await started();
      const { uuid } = findNetwork(nodeOn(machine), "lan");
      const path = `/etc/svirt/changes/network-${uuid}.json`;
      putText(machine, path, text);
      const before = snapshot(machine);
      for (const work of [both, (node: Parameters<Work>[0]) => destroyNetwork(node, "lan")]) {
        const error = await errorOf(work(nodeOn(machine)));
        expect([error.kind, error.message]).toEqual([
          "failed",
          `Cannot read the record of a change ${path}: it is damaged`,
        ]);
        expect(error.remedy).toContain(`rm ${path}`);
      }
      expect(snapshot(machine)).toEqual(before);
      expect(findNetwork(nodeOn(machine), "lan").active).toBeDefined();
      await other(nodeOn(machine));
      expect((await recoverAll(nodeOn(machine))).errors.map(({ message }) => message)).toEqual([
        `Cannot read the record of a change ${path}: it is damaged`,
      ]);
      expect((await auditNode(nodeOn(machine))).findings).toEqual([
        expect.stringContaining(`Cannot read the record of a change ${path}: it is damaged; remedy:`),
      ]);
    }
  });
});

test("an update of both documents that fails at any call changes neither, unless the call was of no consequence", async () => {
  const both: Work = (node) => updateStoredNetwork(node, "lan", { options: BOTH, update: WEB });
  const clean = snapshotOf(await started());
  for (const strike of await instantsOf(started, both)) {
    const machine = await started();
    await beStruck(machine, both, { ...strike, how: "fail" });
    const place = `${strike.moment} call ${strike.at}`;
    const found = having(machine, "web");
    expect([place, ["", "active,defined"].includes(found.join())]).toEqual([place, true]);
    if (found.length === 0) expect([place, ...snapshotOf(machine)]).toEqual([place, ...clean]);
  }
});

/** Lists the records of changes. */
function recordsOf(machine: Machine): readonly string[] {
  return nodeOn(machine).host.listFolder("/etc/svirt/changes");
}

/** Returns a snapshot without the numbers of inodes and without unused files. */
function snapshotOf(machine: Machine): readonly string[] {
  return withoutInodes(machine).filter((line) => !line.includes(".new"));
}
