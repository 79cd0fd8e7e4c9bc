import type { Domain } from "../domain/domain.ts";
import { NVRAM_FOLDER } from "../domain/machine/nvram-folder.ts";
import { listFirmwareFiles } from "../domain/resources/firmware.ts";
import { folderOf } from "../plan/folder-of.ts";
import type { FirmwareDescriptor } from "../qemu/firmware/built-in.ts";
import type { FirmwareChoice } from "../qemu/firmware/defaults.ts";
import { parseFirmware } from "../qemu/firmware/parse.ts";
import { type Instance, isSession } from "../state/instance.ts";

/** Folders of packages and of the administrator. Later files replace earlier files of the same name. */
const FOLDERS = ["/usr/share/qemu/firmware", "/etc/qemu/firmware"] as const;

/**
 * Creates the folder for the variables of guests without a file in their XML. Does so only for a domain with
 * such variables.
 */
export function makeNvramFolder(instance: Instance, { os }: Domain): void {
  const folder = nvramFolder(instance);
  const isUsed = listFirmwareFiles(os).some(({ path }) => isInNvramFolder(instance, path));
  if (!isUsed || instance.host.inspectFile(folder) !== undefined) return;
  instance.host.makeFolder({ path: folder, mode: isSession(instance) ? 0o700 : 0o711 });
}

/** Decides whether a file is in the folder where svirt creates variables. */
export function isInNvramFolder(instance: Instance, path: string): boolean {
  return folderOf(path) === nvramFolder(instance);
}

/**
 * Returns the firmware to choose from on this host, and the folder for its variables. Reads it on demand:
 * most guests have no firmware.
 */
export function hostFirmware(instance: Instance): FirmwareChoice {
  return {
    get firmwares() {
      return readFirmwares(instance);
    },
    nvramFolder: nvramFolder(instance),
  };
}

function nvramFolder(instance: Instance): string {
  return isSession(instance) ? `${instance.paths.state}/nvram` : NVRAM_FOLDER;
}

/**
 * Lists the described firmware on this host, sorted by file names regardless of folders. Of two fitting
 * descriptions, the first is preferred. An empty file hides another of the same name. qemu.git
 * docs/interop/firmware.json; libvirt qemuInteropFetchConfigs()
 */
function readFirmwares(instance: Instance): readonly FirmwareDescriptor[] {
  const own = isSession(instance) ? [`${folderOf(instance.paths.config)}/qemu/firmware`] : [];
  const files = new Map<string, string>();
  for (const folder of [...FOLDERS, ...own]) {
    for (const name of instance.host.listFolder(folder)) {
      if (name.endsWith(".json")) files.set(name, `${folder}/${name}`);
    }
  }
  return [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, file]) => parseFirmware(instance.host.readText(file) ?? "") ?? []);
}
