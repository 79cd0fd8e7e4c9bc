import { expect } from "bun:test";
import { imagePath } from "../../src/domain/devices/disk/images.ts";
import { parseDomainText } from "../../src/domain/document.ts";
import { readDefinition } from "../../src/state/definitions.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import type { Machine } from "../memory-host/machine.ts";
import { IMAGES } from "./block.ts";
import { recordOf } from "./hotplug.ts";
import { errorOf, nodeOn, reapAll, UUID } from "./scene.ts";

/** Another guest. */
export const OTHER = "22222222-2222-4333-8444-000000000002";
/** What guests only read. */
export const CONTENT = "system_u:object_r:virt_content_t:s0";

/** What a new file has in that folder. */
export const NEW = "system_u:object_r:xen_image_t:s0";

/** What the running guest and the definition say of the disk. */
export function sources(machine: Machine, target = "vda"): (string | undefined)[] {
  const definition = readDefinition(nodeOn(machine), "vm1")?.xml ?? "";
  return [recordOf(machine).xml, definition].map((xml) => {
    const disk = parseDomainText(xml).devices.disks.find((one) => one.target.dev === target);
    return disk === undefined ? undefined : `${imagePath(disk)} ${disk.driver?.type}`;
  });
}

/** How QEMU has each file open. */
export function accessOf(machine: Machine, path: string): string[] {
  const files = machine.processes.qemuOf(UUID)?.devices?.listFiles() ?? [];
  return files.filter(({ file }) => file.path === path).map(({ access }) => access);
}

/** Nothing that the guest has had carries a label of it once it has ended, and nobody could write to content. */
export async function expectCleanEnd(machine: Machine): Promise<void> {
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  expectUnlabelled(machine);
}

/** No file carries a label of a guest or a mark of one, no file is claimed, and nothing was that must not be. */
export function expectUnlabelled(machine: Machine): void {
  for (const { inode, path } of machine.files.walk(machine.files.find(IMAGES))) {
    if (inode.type !== "file") continue;
    const label = inode.xattrs.get("security.selinux") ?? "";
    expect([path, label.includes("virt"), [...inode.xattrs.keys()].join()]).toEqual([
      path,
      false,
      "security.selinux",
    ]);
  }
  expect(
    [...machine.files.walk()].filter(({ path }) => path.startsWith("/var/lib/svirt/claims/file/")),
  ).toEqual([]);
  expect(machine.violations).toEqual([]);
}

/** What failed leaves the machine, its QEMU and the record as they were. */
export async function expectRefused(machine: Machine, work: Promise<unknown>, words: string): Promise<void> {
  const error = await errorOf(work);
  expect([error.message, machine.violations]).toEqual([expect.stringContaining(words), []]);
}
