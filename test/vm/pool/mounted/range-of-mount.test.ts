import { describe, expect, test } from "bun:test";
import { readRecords } from "../../../../src/state/record.ts";
import { destroyDomain } from "../../../../src/vm/end/destroy.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { startPool } from "../../../../src/vm/pool/start-pool.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { makeStorageMachine, netXml } from "../../../scenes/mounted-pools.ts";
import { domainXml, errorOf, nodeOn } from "../../../scenes/scene.ts";

const IMAGE = "system_u:object_r:svirt_image_t:";

/** Starts a guest with a dynamic label and returns its range. */
async function startedRange(machine: Machine): Promise<string> {
  await startDomain(nodeOn(machine), domainXml());
  return readRecords(nodeOn(machine))[0]?.label.label?.split(":").slice(3).join(":") ?? "";
}

describe("a guest with a dynamic label", () => {
  test("never gets the range of a mount, whose files have no other label", async () => {
    const range = await startedRange(makeStorageMachine());
    expect(range).toMatch(/^s0:c\d+,c\d+$/);
    const machine = makeStorageMachine();
    // As Linux shows a mount with context=, proc_pid_mountinfo(5).
    const line = `61 29 0:50 / /srv/net rw,nosuid,nodev,noexec - nfs4 files.example:/images rw,context="${IMAGE}${range}",vers=4.2,addr=192.0.2.1\n`;
    machine.files.putFolder("/proc/self");
    machine.files.put("/proc/self/mountinfo", "file", { bytes: new TextEncoder().encode(line) });
    const other = await startedRange(machine);
    expect(other).toMatch(/^s0:c\d+,c\d+$/);
    expect(other).not.toBe(range);
  });

  test("keeps a pool from being mounted with the range that it has", async () => {
    const machine = makeStorageMachine();
    const node = nodeOn(machine);
    const label = `${IMAGE}${await startedRange(machine)}`;
    await definePool(node, netXml({ label }));
    const { kind, message } = await errorOf(startPool(node, "net", { isBuilt: false }));
    expect([kind, message]).toEqual([
      "in-use",
      `Cannot mount files with the label ${label}: the guest vm1 got its range by chance`,
    ]);
    await destroyDomain(node, "vm1");
    await startPool(node, "net", { isBuilt: false });
    expect(machine.mounts.list()).toHaveLength(1);
  });
});

test("a guest that runs with a static label, also without a definition, has its pool mounted", async () => {
  const machine = makeStorageMachine();
  const node = nodeOn(machine);
  const label = "system_u:system_r:svirt_t:s0:c10,c20";
  const seclabel = `<seclabel type='static' model='selinux'><label>${label}</label></seclabel>`;
  await startDomain(node, domainXml({ seclabel }));
  await definePool(node, netXml({ label: `${IMAGE}s0:c10,c20` }));
  await startPool(node, "net", { isBuilt: false });
  expect(machine.mounts.list()).toHaveLength(1);
});
