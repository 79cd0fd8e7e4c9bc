import { recordsFolder } from "../plan/paths.ts";
import type { Instance } from "./instance.ts";
import type { BriefRecord } from "./running-guests.ts";

/** Most remembered names. They are forgotten together. */
const MOST_NAMES = 20_000;
/** Time after which another change of a folder has another time: more than a tick of any kernel. */
const SETTLED_MS = 1000;
const NS_PER_MS = 1_000_000n;

/**
 * Remembers definitions, records and open consoles between the calls of a connection. Each use compares
 * definitions and records with the disk, since other svirt processes change it at any time.
 */
export class Memory {
  /** Functions that end the open consoles of the connection with an error, by the paths of their locks. */
  readonly consoles = new Map<string, () => Promise<void>>();
  /** Names of definitions by UUID, as last read. The definition of that name may have another UUID since. */
  readonly #names = new Map<string, string>();
  #hasReadRecords = false;
  #records: { readonly folder: string; readonly briefs: readonly (BriefRecord | undefined)[] } | undefined;

  /** Returns the name under which a domain was defined when it was read last. */
  nameOf(uuid: string): string | undefined {
    return this.#names.get(uuid);
  }

  rememberName(uuid: string, name: string): void {
    if (this.#names.size >= MOST_NAMES) this.#names.clear();
    this.#names.set(uuid, name);
  }

  /**
   * Returns the records. `read` reads them only if their folder has changed. Records are written by
   * rename(2), which changes it.
   */
  briefs(
    instance: Instance,
    read: () => readonly (BriefRecord | undefined)[],
  ): readonly (BriefRecord | undefined)[] {
    // Most connections need them once. The calls that inspect a folder take longer to load than the records
    // to read.
    if (!this.#hasReadRecords) {
      this.#hasReadRecords = true;
      return read();
    }
    const folder = settledState(instance, recordsFolder(instance.paths));
    if (folder !== undefined && this.#records?.folder === folder) return this.#records.briefs;
    // The folder was inspected before: a change meanwhile is seen by the next call.
    const briefs = read();
    this.#records = folder === undefined ? undefined : { folder, briefs };
    return briefs;
  }
}

/**
 * Returns a text with a new value after each change of a folder's entries; undefined for a missing folder or
 * after a change just now: a second change in the same tick of the kernel's clock would have the same time.
 */
function settledState({ host }: Instance, path: string): string | undefined {
  const facts = host.inspectFile(path);
  if (facts === undefined) return undefined;
  const { changedNs, modifiedNs } = facts.times;
  if (host.nowMs() - Number(changedNs / NS_PER_MS) < SETTLED_MS) return undefined;
  return `${facts.id.device} ${facts.id.inode} ${modifiedNs} ${changedNs}`;
}
