import type { Domain } from "../domain/domain.ts";
import { NVRAM_FOLDER } from "../domain/machine/nvram-folder.ts";
import { listFirmwareFiles } from "../domain/resources/firmware.ts";
import { folderOf } from "../plan/folder-of.ts";
import type { FirmwareDescriptor } from "../qemu/firmware/built-in.ts";
import type { FirmwareChoice } from "../qemu/firmware/defaults.ts";
import { parseFirmware } from "../qemu/firmware/parse.ts";
import { isSession, type Node } from "../state/instance.ts";

/** Folders of packages and of the administrator, whose files replace those of the same name. */
const FOLDERS = ["/usr/share/qemu/firmware", "/etc/qemu/firmware"] as const;

/** Creates the folder for the variables of guests whose XML names no file. Does so only for a domain that uses it. */
export function makeNvramFolder(node: Node, { os }: Domain): void {
  const folder = nvramFolder(node);
  const isUsed = listFirmwareFiles(os).some(({ path }) => isInNvramFolder(node, path));
  if (!isUsed || node.host.inspectFile(folder) !== undefined) return;
  node.host.makeFolder({ path: folder, mode: isSession(node) ? 0o700 : 0o711 });
}

/** Decides whether a file is in the folder where svirt creates variables. */
export function isInNvramFolder(node: Node, path: string): boolean {
  return folderOf(path) === nvramFolder(node);
}

/**
 * Returns the firmware to choose from on this host, and the folder for its variables. Reads it on demand: most guests
 * have no firmware.
 */
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
 * Lists the firmware that is described on this host, sorted by file names regardless of folders. Of two that match, the
 * first is preferred. An empty file hides another of the same name. qemu.git docs/interop/firmware.json; libvirt
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
