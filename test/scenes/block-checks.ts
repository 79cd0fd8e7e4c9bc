import { expect } from "bun:test";
import { imagePath } from "../../src/domain/devices/disk/images.ts";
import { parseDomainText } from "../../src/domain/document.ts";
import { readDefinition } from "../../src/state/definitions.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import type { Machine } from "../memory-host/machine.ts";
import { IMAGES } from "./block.ts";
import { recordOf } from "./hotplug.ts";
import { errorOf, nodeOn, reapAll, UUID } from "./scene.ts";

/** UUID of another guest. */
export const OTHER = "22222222-2222-4333-8444-000000000002";
/** Label of content, which guests only read. */
export const CONTENT = "system_u:object_r:virt_content_t:s0";

/** Label of a new file in the folder of images. */
export const NEW = "system_u:object_r:xen_image_t:s0";

/** Returns image and format of a disk, in the running guest's XML and in the definition. */
export function sources(machine: Machine, target = "vda"): (string | undefined)[] {
  const definition = readDefinition(nodeOn(machine), "vm1")?.xml ?? "";
  return [recordOf(machine).xml, definition].map((xml) => {
    const disk = parseDomainText(xml).devices.disks.find((one) => one.target.dev === target);
    return disk === undefined ? undefined : `${imagePath(disk)} ${disk.driver?.type}`;
  });
}

/** Returns the access modes with which QEMU has a file open. */
export function accessOf(machine: Machine, path: string): string[] {
  const files = machine.processes.qemuOf(UUID)?.devices?.listFiles() ?? [];
  return files.filter(({ file }) => file.path === path).map(({ access }) => access);
}

/** Ends the guest. Expects that no image has a label of it and that no rule was violated. */
export async function expectCleanEnd(machine: Machine): Promise<void> {
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  expectUnlabelled(machine);
}

/**
 * Expects no label or mark of a guest on an image except that of its format, no claim on a file, and no
 * violation.
 */
export function expectUnlabelled(machine: Machine): void {
  for (const { inode, path } of machine.files.walk(machine.files.find(IMAGES))) {
    if (inode.type !== "file") continue;
    const label = inode.xattrs.get("security.selinux") ?? "";
    expect([
      path,
      label.includes("virt"),
      [...inode.xattrs.keys()].filter((name) => name !== "trusted.svirt.format").join(),
    ]).toEqual([path, false, "security.selinux"]);
  }
  expect(
    [...machine.files.walk()].filter(({ path }) => path.startsWith("/var/lib/svirt/claims/file/")),
  ).toEqual([]);
  expect(machine.violations).toEqual([]);
}

/** Expects that work fails with this message and without a violation. */
export async function expectRefused(machine: Machine, work: Promise<unknown>, words: string): Promise<void> {
  const error = await errorOf(work);
  expect([error.message, machine.violations]).toEqual([expect.stringContaining(words), []]);
}
