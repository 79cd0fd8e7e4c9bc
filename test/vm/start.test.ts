import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../src/vm/destroy.ts";
import { startDomain } from "../../src/vm/start.ts";
import { snapshot } from "../memory-host/machine.ts";
import { ALL_KINDS, domainXml, labelOf, makeMachine, nodeOn, ORIGINAL, reapAll, UUID } from "./scene.ts";

describe("startDomain()", () => {
  test("labels every kind of disk as the reference does, and destroy puts every label back", async () => {
    const machine = makeMachine();
    const before = snapshot(machine);
    const { did, guest } = await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
    expect(did).toBe(true);
    const range = guest.label.label?.split(":").slice(3).join(":");
    expect(guest.label.label).toBe(`system_u:system_r:svirt_t:${range}`);
    expect(range).toMatch(/^s0:c\d+,c\d+$/);
    const image = `system_u:object_r:svirt_image_t:${range}`;
    expect(labelOf(machine, "/var/lib/images/top.qcow2")).toBe(image);
    expect(labelOf(machine, "/dev/vdb")).toBe(image);
    expect(labelOf(machine, "/var/lib/images/base.raw")).toBe("system_u:object_r:virt_content_t:s0");
    expect(labelOf(machine, "/var/lib/images/install.iso")).toBe("system_u:object_r:virt_content_t:s0");
    expect(labelOf(machine, "/var/lib/images/shared.raw")).toBe("system_u:object_r:svirt_image_t:s0");
    expect(labelOf(machine, "/var/lib/images/private1.raw")).toBe(ORIGINAL);
    expect(machine.processes.qemuOf(UUID)).toMatchObject({
      context: guest.label.label ?? "",
      status: "running",
    });
    expect(await destroyDomain(nodeOn(machine), "vm1")).toEqual({ name: "vm1", did: true });
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });
});
