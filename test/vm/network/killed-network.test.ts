import { describe, expect, test } from "bun:test";
import { readNetwork } from "../../../src/state/networks/networks.ts";
import { markNetwork } from "../../../src/vm/network/autostart-network.ts";
import { defineNetwork, undefineNetwork } from "../../../src/vm/network/define-network.ts";
import { selectNetworks } from "../../../src/vm/network/network-list.ts";
import { createNetwork, destroyNetwork, startNetwork } from "../../../src/vm/network/start-network.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { BRIDGE, LAN_UUID, networkXml } from "../../scenes/networks.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const OLD = networkXml(BRIDGE, "lan", LAN_UUID);
const NEW = networkXml(BRIDGE.replace("br0", "br1"), "lan", LAN_UUID);

const define: Work = (node) => defineNetwork(node, NEW);
const start: Work = (node) => startNetwork(node, "lan");
const destroy: Work = (node) => destroyNetwork(node, "lan");
const undefine: Work = (node) => undefineNetwork(node, "lan");
const create: Work = (node) => createNetwork(node, NEW);
const mark: Work = (node) => markNetwork(node, "lan", true);
const unmark: Work = (node) => markNetwork(node, "lan", false);

/** Returns a machine on which this was done. */
function after(...works: readonly Work[]): () => Promise<Machine> {
  return async () => {
    const machine = makeMachine();
    for (const work of works) await work(nodeOn(machine));
    return machine;
  };
}

const defineOld: Work = (node) => defineNetwork(node, OLD);
const CASES = [
  { name: "net-define of a new network", prepare: after(), work: define },
  { name: "net-define of another text", prepare: after(defineOld), work: define },
  { name: "net-define of an active network", prepare: after(defineOld, start), work: define },
  { name: "net-start", prepare: after(defineOld), work: start },
  { name: "net-create", prepare: after(), work: create },
  { name: "net-create beside a definition", prepare: after(defineOld), work: create },
  { name: "net-destroy", prepare: after(defineOld, start), work: destroy },
  { name: "net-destroy of a transient network", prepare: after(create), work: destroy },
  { name: "net-undefine", prepare: after(defineOld), work: undefine },
  { name: "net-autostart", prepare: after(defineOld), work: mark },
  { name: "net-autostart --disable", prepare: after(defineOld, mark), work: unmark },
] as const;

/** Returns all that commands show of networks. */
function stateOf(machine: Machine): string {
  const node = nodeOn(machine);
  return JSON.stringify([selectNetworks(node, {}, { wantsUuids: true }), readNetwork(node, "lan")]);
}

describe.each(CASES)("$name struck before, within and after every call that changes something", (subject) => {
  test.each(["crash", "fail"] as const)(
    "by a %s has been done or not, and can be done again",
    async (how) => {
      const before = stateOf(await subject.prepare());
      const whole = await subject.prepare();
      await subject.work(nodeOn(whole));
      const done = stateOf(whole);
      const instants = await instantsOf(subject.prepare, subject.work);
      expect([instants.length > 5, before === done]).toEqual([true, false]);
      for (const strike of instants) {
        const machine = await subject.prepare();
        await beStruck(machine, subject.work, { ...strike, how });
        const place = `${strike.moment} call ${strike.at}`;
        expect([place, [before, done].includes(stateOf(machine))]).toEqual([place, true]);
        // The work may have been done: a network that is gone is then not found.
        await subject.work(nodeOn(machine)).catch((error: unknown) => {
          expect([place, String(error)]).toEqual([place, expect.stringContaining("failed to get network")]);
        });
        expect([place, stateOf(machine)]).toEqual([place, done]);
      }
    },
  );
});

test("net-undefine of a marked network, killed anywhere, leaves no mark without a definition", async () => {
  const prepare = after(defineOld, mark);
  const seen = new Set<boolean>();
  for (const strike of await instantsOf(prepare, undefine)) {
    const machine = await prepare();
    await beStruck(machine, undefine, strike);
    const isUntouched = readNetwork(nodeOn(machine), "lan") !== undefined;
    await defineNetwork(nodeOn(machine), OLD);
    const node = nodeOn(machine);
    const [listed] = selectNetworks(node, {}, { wantsUuids: false });
    // Without a removal of the definition, the network is marked as before; after it, no new definition
    // inherits a mark.
    expect([strike.at, strike.moment, listed?.isAutostarted]).toEqual([
      strike.at,
      strike.moment,
      isUntouched,
    ]);
    seen.add(isUntouched);
  }
  expect(seen.size).toBe(2);
});
