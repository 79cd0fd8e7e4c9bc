import { parseSnapshotText } from "../../domain/other-documents/snapshot.ts";
import { type OnRefused, type SvirtError, unlessRefused } from "../../errors.ts";
import { parseNetworkText } from "../../network/document.ts";
import { parseFilterText } from "../../network/filter/document.ts";
import { listSecrets } from "../../resolve/secrets/find-secret.ts";
import { damagedDefinition, listDefinitionNames, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { filterStore } from "../../state/networks/filters.ts";
import { networkStore } from "../../state/networks/networks.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { damagedSnapshots, listSnapshotOwners, readSnapshots } from "../../state/snapshots/snapshots.ts";
import type { XmlStore } from "../../state/xml-store.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import { ownPathsIn } from "./own-paths.ts";

/**
 * Lists the damaged files of domains, networks, filters, pools, secrets and snapshots, with the remedies.
 * Each is read as a whole: a command about the object would be refused, and a list shows only damage of the
 * fields that it needs.
 */
export function findDamagedFiles(instance: Instance): readonly string[] {
  const found: string[] = [];
  const note: OnRefused = ({ message, remedy }) => void found.push(`${message}; remedy: ${remedy}`);
  for (const name of listDefinitionNames(instance)) checkDefinition(instance, name, note);
  checkStore(networkStore, instance, { parse: parseNetworkText, note });
  checkStore(filterStore, instance, { parse: parseFilterText, note });
  checkStore(poolStore, instance, { parse: parsePoolText, note });
  listSecrets(instance, note);
  for (const uuid of listSnapshotOwners(instance)) checkSnapshots(instance, uuid, note);
  return found;
}

function checkDefinition(instance: Instance, name: string, note: OnRefused): void {
  const definition = unlessRefused(() => readDefinition(instance, name), note);
  if (definition !== undefined)
    check(
      () => ownPathsIn(definition.xml),
      (cause) => damagedDefinition(instance, name, cause),
      note,
    );
}

/** Reads both files of each object. An object may be active with a definition that is damaged. */
function checkStore(
  store: XmlStore,
  instance: Instance,
  { note, parse }: { parse(xml: string): unknown; readonly note: OnRefused },
): void {
  for (const { name } of store.listEntries(instance)) {
    const stored = unlessRefused(() => store.read(instance, name), note);
    for (const form of ["active", "defined"] as const) {
      const xml = stored?.[form];
      if (xml !== undefined)
        check(
          () => parse(xml),
          (cause) => store.damaged(instance, { name, form }, cause),
          note,
        );
    }
  }
}

function checkSnapshots(instance: Instance, uuid: string, note: OnRefused): void {
  const tree = unlessRefused(() => readSnapshots(instance, uuid), note);
  for (const { name, xml } of tree?.snapshots ?? [])
    check(
      () => parseSnapshotText(xml),
      (cause) => damagedSnapshots(instance, uuid, { name, cause }),
      note,
    );
}

function check(read: () => unknown, toDamaged: (cause: SvirtError) => SvirtError, note: OnRefused): void {
  unlessRefused(read, (cause) => note(toDamaged(cause)));
}
