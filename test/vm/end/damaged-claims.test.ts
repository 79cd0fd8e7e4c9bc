import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import {
  ALL_DEVICES,
  ALL_KINDS,
  diskXml,
  domainXml,
  makeMachine,
  nodeOn,
  OTHER,
  reapAll,
  UUID,
} from "../../scenes/scene.ts";

const CLAIMS = "/var/lib/svirt/claims";
const SHARED = diskXml("/var/lib/images/shared.raw", "vda", "<shareable/>");

/** Lists the claims of a guest by path. */
function claimsOf(machine: Machine, uuid: string): string[] {
  const { host } = nodeOn(machine);
  return host
    .listFolder(CLAIMS)
    .flatMap((kind) => host.listFolder(`${CLAIMS}/${kind}`).map((key) => `${CLAIMS}/${kind}/${key}/${uuid}`))
    .filter((path) => host.inspectFile(path) !== undefined);
}

function damage(machine: Machine, uuid: string): void {
  const paths = claimsOf(machine, uuid);
  expect(paths.length).toBeGreaterThan(1);
  for (const path of paths) machine.files.get(path).bytes = new TextEncoder().encode('{"sharing":');
}

describe("destroyDomain() of a guest", () => {
  test("whose own claims are damaged restores all labels and leaves nothing", async () => {
    const machine = makeMachine();
    const before = snapshot(machine);
    await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS, devices: ALL_DEVICES }));
    damage(machine, UUID);
    expect(await destroyDomain(nodeOn(machine), "vm1")).toEqual({ name: "vm1", did: true });
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test("that shares a file with one whose claim is damaged says to end that one, and recover does the rest", async () => {
    const machine = makeMachine();
    const before = snapshot(machine);
    await startDomain(nodeOn(machine), domainXml({ disks: SHARED }));
    await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks: SHARED }));
    damage(machine, OTHER);
    const { code, err } = await runOn(machine, "destroy", "vm1");
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`remedy: End its guest: svirt destroy ${OTHER}.`),
    ]);
    await runOn(machine, "destroy", OTHER);
    expect((await runOn(machine, "recover")).code).toBe(0);
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });
});
