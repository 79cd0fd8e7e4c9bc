import type { Domain } from "../domain/domain.ts";
import { NVRAM_FOLDER } from "../domain/machine/nvram-folder.ts";
import { listFirmwareFiles } from "../domain/resources/firmware.ts";
import { folderOf } from "../plan/folder-of.ts";
import type { FirmwareDescriptor } from "../qemu/firmware/built-in.ts";
import type { FirmwareChoice } from "../qemu/firmware/defaults.ts";
import { parseFirmware } from "../qemu/firmware/parse.ts";
import { isSession, type Node } from "../state/instance.ts";

/** Of packages, and of the administrator, whose files stand for those of the same name. */
const FOLDERS = ["/usr/share/qemu/firmware", "/etc/qemu/firmware"] as const;

/** The folder that the variables of a guest go to whose XML named none, if it is missing. */
export function makeNvramFolder(node: Node, { os }: Domain): void {
  const folder = nvramFolder(node);
  const isUsed = listFirmwareFiles(os).some(({ path }) => isInNvramFolder(node, path));
  if (!isUsed || node.host.inspectFile(folder) !== undefined) return;
  node.host.makeFolder({ path: folder, mode: isSession(node) ? 0o700 : 0o711 });
}

/** Whether it is a file that svirt has made there. */
export function isInNvramFolder(node: Node, path: string): boolean {
  return folderOf(path) === nvramFolder(node);
}

/** From what a guest's firmware is chosen here, and where its variables go. Read once it is asked: most guests have none. */
export function hostFirmware(node: Node): FirmwareChoice {
  return {
    get firmwares() {
      return readFirmwares(node);
    },
    nvramFolder: nvramFolder(node),
  };
}

function nvramFolder(node: Node): string {
  return isSession(node) ? `${node.paths.state}/nvram` : NVRAM_FOLDER;
}

/**
 * The firmware that is described on this host, the first of two that fit the better one: by the names of their files,
 * whatever folder they are in. An empty file hides another one. qemu.git docs/interop/firmware.json; libvirt
 * qemuInteropFetchConfigs()
 */
function readFirmwares(node: Node): readonly FirmwareDescriptor[] {
  const own = isSession(node) ? [`${folderOf(node.paths.config)}/qemu/firmware`] : [];
  const files = new Map<string, string>();
  for (const folder of [...FOLDERS, ...own]) {
    for (const name of node.host.listFolder(folder)) {
      if (name.endsWith(".json")) files.set(name, `${folder}/${name}`);
    }
  }
  return [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, file]) => parseFirmware(node.host.readText(file) ?? "") ?? []);
}
