import { SvirtError, unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { withHeld, withUnusedFile } from "../../labelling/free-file.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { listNamedPaths } from "../../resolve/definition-names.ts";
import { refuseWritten } from "../../resolve/places/writable-places.ts";
import { listPoolFolders } from "../../resolve/pool-folders.ts";
import { listRelated } from "../../resolve/related-devices.ts";
import { hasServers, silentServer, silentServers } from "../../resolve/silent-server.ts";
import { listDefinitionNames, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { guestOn } from "../pool/device/device-guest.ts";
import { type FoundVolume, findVolume } from "./find-volume.ts";
import { refuseNeeded } from "./refuse-needed.ts";
import { type SearchPass, UnfollowedPaths } from "./unlocked-search.ts";
import { type DevicePool, type VolumePool, withoutOperation } from "./volume-pool.ts";
import { followPaths } from "./volumes-above.ts";

/** Volume that no guest uses, and no part of it. */
export interface UnusedVolume {
  readonly name: string;
  readonly facts: FileFacts;
  /** Folder of its pool; undefined: it is a block device. */
  readonly folder: FileFacts | undefined;
  readonly pool: VolumePool | DevicePool;
  /** Place of a partition on its disk. */
  readonly extent: FoundVolume["extent"];
  /** Size of the file or the device. */
  readonly sizeBytes: number;
  /** Pass of the search of refuseNeeded(). */
  readonly pass: SearchPass;
}

/** Volume to look for, and a verb for messages. */
interface VolumeAttempt {
  readonly key: string;
  readonly pool: string | undefined;
  readonly attempt: string;
  /** File that was found before under that name; any other is refused. */
  readonly seen?: FileId | undefined;
  /** Operation of pools that those of block devices lack, as libvirt's message has it. */
  readonly operation?: string;
  /** Whether a pool of devices has the operation nevertheless. */
  hasOperation?(pool: DevicePool): boolean;
  /** Whether the work calls refuseNeeded(), which reads the volumes of all pools. */
  readonly readsPools?: boolean;
  /** As refuseNeeded() has it. */
  readonly mayBeDisk?: boolean;
  /** As withUnusedFile() has it. */
  mayHave?(owner: string, file: FileId): boolean;
}

/**
 * Does the work on a volume's file or device under the registry's lock, while no guest uses it. Throws
 * "not-found"; "in-use" for one that a guest has; "wrong-state" for a device of the host; "denied" for
 * anything other than a file of a folder for images, or than `seen`; "unsupported" for an operation that the
 * pool lacks.
 */
export async function withUnusedVolume<Result>(
  instance: Instance,
  { attempt, key, mayBeDisk = false, mayHave, operation, pool, readsPools, seen, ...rest }: VolumeAttempt,
  work: (volume: UnusedVolume) => Result | Promise<Result>,
): Promise<Result> {
  const { extent, facts, name, path, pool: found } = await findVolume(instance, key, pool);
  const isDevice = found.folder === undefined;
  if (found.folder === undefined && operation !== undefined && rest.hasOperation?.(found) !== true)
    throw withoutOperation(operation);
  if (facts.type !== (isDevice ? "block" : "file")) throw notAFile(attempt, path);
  if (seen !== undefined && !isSame(facts.id, seen)) throw replaced(attempt, path);
  if (readsPools === true) await refuseUnknown(instance, `${attempt} ${facts.id.path}`);
  const search = { attempt, file: facts.id, folder: found.folder, mayBeDisk };
  const tryWork = async (pass: SearchPass): Promise<Result> =>
    await withHeld(instance, [path], (held) =>
      withUnusedFile(
        instance,
        { attempt, held, path, ...(mayHave === undefined ? {} : { mayHave }) },
        (file) => {
          const { id } = file.facts;
          if (!isSame(id, facts.id)) throw notAFile(attempt, path);
          refuseWritten(instance.host, file.facts);
          if (isDevice) refuseUsedParts(instance, { attempt, path, id });
          const sizeBytes = isDevice ? sizeOfDevice(instance, file.facts) : file.facts.sizeBytes;
          return work({
            name,
            facts: file.facts,
            folder: found.folder,
            pool: found,
            extent,
            sizeBytes,
            pass,
          });
        },
      ),
    );
  return readsPools === true ? await withLooks(instance, search, tryWork) : await tryWork(LOCKED);
}

/** Most attempts: guests may write other headers meanwhile. */
const MOST_TRIES = 5;

/** Pass under the lock, before any path was followed. */
const LOCKED: SearchPass = { isLocked: true, followed: new Set() };

function isSame(one: FileId, other: FileId): boolean {
  return fileKey(one) === fileKey(other) && one.path === other.path;
}

function sizeOfDevice({ host }: Instance, facts: FileFacts): number {
  const {
    deviceBytes,
  }: typeof import("../../resolve/pools/pool-device.ts") = require("../../resolve/pools/pool-device.ts");
  return deviceBytes(host, facts);
}

/**
 * Throws "in-use" for a disk if a guest has a partition of it, and for a partition if a guest has the disk.
 */
function refuseUsedParts(
  instance: Instance,
  { attempt, id, path }: { readonly attempt: string; readonly path: string; readonly id: FileId },
): void {
  const guest = guestOn(
    instance,
    listRelated(instance.host, id).map(({ number }) => number),
  );
  if (guest === undefined) return;
  throw new SvirtError(`Cannot ${attempt} ${path}: the guest ${guest} uses another part of that disk`, {
    kind: "in-use",
    remedy: `Stop that guest: svirt shutdown ${guest}`,
  });
}

/**
 * Does the checks of refuseNeeded() before the registry's lock is taken, as far as a server or a device may
 * hang: this command then waits alone. They inspect each file that definitions and volumes name, and read
 * headers. An error is left to the work. The work is repeated once more paths are found.
 */
async function withLooks<Result>(
  instance: Instance,
  {
    attempt,
    file,
    folder,
    mayBeDisk,
  }: {
    readonly attempt: string;
    readonly file: FileId;
    readonly folder: FileFacts | undefined;
    readonly mayBeDisk: boolean;
  },
  tryWork: (pass: SearchPass) => Promise<Result>,
): Promise<Result> {
  const followed = new Set<string>();
  const pass = { isLocked: false, followed };
  unlessRefused(() => refuseNeeded(instance, { attempt, file, mayBeDisk, pass }, folder));
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    try {
      return await tryWork({ isLocked: true, followed });
    } catch (error) {
      if (!(error instanceof UnfollowedPaths)) throw error;
      followPaths(instance, file, error.paths);
      for (const path of error.paths) followed.add(path);
    }
  }
  return await tryWork({ isLocked: true, followed: undefined });
}

/**
 * Throws "timeout" if a file of a server that does not answer may need a volume: an image of a pool there, or
 * a disk of a definition.
 */
export async function refuseUnknown(instance: Instance, attempt: string): Promise<void> {
  if (!hasServers(instance.host)) return;
  const findSilent = silentServers(instance.host);
  for (const { name, path } of listPoolFolders(instance)) {
    const mount = await findSilent(path);
    if (mount !== undefined) throw unknown(attempt, mount, `the storage pool '${name}'`);
  }
  for (const name of listDefinitionNames(instance)) {
    const { xml = "" } = readDefinition(instance, name) ?? {};
    for (const path of listNamedPaths(xml)) {
      const mount = await findSilent(path);
      if (mount !== undefined) throw unknown(attempt, mount, `the domain '${name}'`);
    }
  }
}

function unknown(attempt: string, mount: string, owner: string): SvirtError {
  return silentServer(mount, `${attempt} while ${owner} may have an image above it`);
}

function replaced(attempt: string, path: string): SvirtError {
  return new SvirtError(`Cannot ${attempt} ${path}: another file took its name meanwhile`, {
    kind: "denied",
    remedy: "See whose it is: svirt vol-list POOL --details",
  });
}

function notAFile(attempt: string, path: string): SvirtError {
  return new SvirtError(`Cannot ${attempt} ${path}: it is not a file`, {
    kind: "denied",
    remedy: "Name a volume that svirt vol-list --details shows as a file.",
  });
}
