import { describe, expect, test } from "bun:test";
import type { EventMessage } from "../../../src/rpc/procedures/events/event-message.ts";
import { Subscriptions } from "../../../src/rpc/procedures/events/subscriptions.ts";
import { domainNotesFolder, noteDomain } from "../../../src/state/reports/domain-notes.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { makeMachine, nodeOn, OTHER, putText, UUID } from "../../scenes/scene.ts";

/** Returns registrations on a machine, the sent batches, and the warnings. */
function subscribe(machine: Machine) {
  const batches: (readonly EventMessage[])[] = [];
  const warnings: string[] = [];
  const made = new Subscriptions({
    instance: nodeOn(machine),
    send: async (messages) => void batches.push(messages),
    warn: ({ message }) => void warnings.push(message),
  });
  return { made, batches, warnings };
}

const bytesOf = (batch: readonly EventMessage[]): number =>
  batch.flatMap(({ payload }) => payload).reduce((sum, { length }) => sum + length, 0);

describe("Subscriptions", () => {
  test("warn of an event that cannot be encoded, and send the others", async () => {
    const machine = makeMachine();
    const { batches, made, warnings } = subscribe(machine);
    await made.register({ kind: "metadata-change", uuid: undefined });
    await made.register({ kind: "metadata-change", uuid: undefined });
    const note = { report: "metadata-change", type: "title" } as const;
    await noteDomain(nodeOn(machine), { name: "vm1", uuid: UUID }, note);
    const folder = domainNotesFolder(nodeOn(machine));
    const text = nodeOn(machine).host.readText(`${folder}/${UUID}.json`) ?? "";
    for (const name of ["00", OTHER]) putText(machine, `${folder}/${name}.json`, text);
    await made.deliver();
    expect(batches.flat()).toHaveLength(4);
    expect(warnings).toHaveLength(1);
    made.close();
  });

  test("send no more than four MiB at once", async () => {
    const machine = makeMachine();
    const { batches, made } = subscribe(machine);
    for (let count = 0; count < 64; count += 1) await made.register({ kind: "tunable", uuid: undefined });
    const value = "x".repeat(200_000);
    await noteDomain(
      nodeOn(machine),
      { name: "vm1", uuid: UUID },
      { report: "tunable", parameters: [{ field: "test", value }] },
    );
    await made.deliver();
    expect(batches.flat()).toHaveLength(64);
    expect(Math.max(...batches.map(bytesOf))).toBeLessThanOrEqual(4 * 1024 * 1024);
    made.close();
  });
});
