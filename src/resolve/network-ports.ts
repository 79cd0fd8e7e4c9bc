import { type BoundInterface, isBound } from "../domain/devices/network/bound.ts";
import type { NetworkInterface } from "../domain/devices/network/interface.ts";
import { parseDomainText } from "../domain/document.ts";
import { unlessRefused } from "../errors.ts";
import type { Instance } from "../state/instance.ts";
import { type GuestRecord, readRecords } from "../state/record.ts";

/** Interface of a guest on a network. */
export interface NetworkPort {
  readonly owner: Pick<GuestRecord, "name" | "uuid">;
  readonly found: BoundInterface;
  /** The interface after a change in progress. */
  readonly next?: BoundInterface;
}

/** Lists the interfaces of guests on a network, of listAllPorts(). */
export function listPorts(instance: Instance, network: string): readonly NetworkPort[] {
  return listAllPorts(instance).filter(({ found }) => found.source.network === network);
}

/**
 * Lists the interfaces on networks of the guests with a record: they start, run, or still have resources of
 * the host. An interface counts while it is attached and detached, too. A damaged record has none, nor a
 * record with unreadable XML.
 */
export function listAllPorts(instance: Instance): readonly NetworkPort[] {
  const bootId = instance.host.getBootId();
  return readRecords(instance)
    .filter((guest) => guest.bootId === bootId)
    .flatMap(({ change, name, uuid, xml }) => {
      const owner = { name, uuid };
      const now = interfacesIn(xml).filter(isBound);
      const after = change === undefined ? [] : interfacesIn(change.xml).filter(isBound);
      const changed = new Map(after.map((found) => [found.source.portid, found]));
      const kept = now.map((found): NetworkPort => {
        const next = changed.get(found.source.portid);
        return { owner, found, ...(next === undefined ? {} : { next }) };
      });
      const known = new Set(now.map(({ source }) => source.portid));
      const added = after.filter(({ source }) => !known.has(source.portid));
      return [...kept, ...added.map((found) => ({ owner, found }))];
    });
}

/** Counts the macvtaps of a network on each device. */
export function countUses(found: readonly BoundInterface[]): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const { source } of found) {
    if ("dev" in source) uses.set(source.dev, (uses.get(source.dev) ?? 0) + 1);
  }
  return uses;
}

/** Returns the interfaces on a network. */
export function onNetwork(found: readonly NetworkInterface[], network: string): readonly BoundInterface[] {
  return found.filter(isBound).filter(({ source }) => source.network === network);
}

function interfacesIn(xml: string): readonly NetworkInterface[] {
  if (!xml.includes("<source network=")) return [];
  return unlessRefused(() => parseDomainText(xml).devices.interfaces) ?? [];
}
