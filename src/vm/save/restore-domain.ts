import { parseDomainText } from "../../domain/document.ts";
import { SvirtError } from "../../errors.ts";
import type { Incoming } from "../../plan/facts/file.ts";
import type { Watch } from "../../run/steps/run-plan.ts";
import type { Node } from "../../state/instance.ts";
import { hasManagedSave, managedSavePath, removeManagedSave } from "../../state/managed-save.ts";
import type { FoundDomain } from "../guest/find-domain.ts";
import { type Started, startDefinition, startFromState } from "../start/start.ts";
import { decideSavedXml, readSaveImage, type SaveImage } from "./save-image.ts";

/** Options of a restore, besides the file. */
export interface RestoreWish {
  /** Whether the guest runs or stays paused; undefined: as the file says. */
  readonly wakes: boolean | undefined;
  /** Another definition of the same domain. */
  readonly xml: Uint8Array | undefined;
  readonly watch?: Watch;
}

/** Starts a guest with the state in a file, labelled as in any start. Throws "wrong-state" if it runs. */
export async function restoreDomain(node: Node, path: string, wish: RestoreWish): Promise<Started> {
  const image = readSaveImage(node, path);
  const bytes = decideSavedXml(image, wish.xml);
  const { watch } = wish;
  return await startFromState(node, bytes, {
    incoming: incomingOf(image, wish.wakes),
    ...(watch === undefined ? {} : { watch }),
  });
}

/** Starts a defined domain, with its managed save if there is one. */
export async function startDefined(
  node: Node,
  found: Pick<FoundDomain, "name" | "uuid" | "guest"> & { readonly xml: string },
  how: { readonly forceBoot: boolean; readonly watch?: Watch },
): Promise<Started> {
  const { forceBoot, watch } = how;
  const isRunning = found.guest !== undefined;
  if (forceBoot && !isRunning) removeManagedSave(node, found.name);
  const saved = isRunning ? undefined : findManagedState(node, found);
  if (saved === undefined) return await startDefinition(node, found, watch);
  return await startFromState(node, saved.bytes, {
    incoming: saved.incoming,
    ...(watch === undefined ? {} : { watch }),
  });
}

/**
 * Returns the state from which a start would resume. Throws "failed" for another domain's state, or for a file without one.
 */
export function findManagedState(
  node: Node,
  { name, uuid }: Pick<FoundDomain, "name" | "uuid">,
): { readonly bytes: Uint8Array; readonly incoming: Incoming } | undefined {
  if (!hasManagedSave(node, name)) return undefined;
  const path = managedSavePath(node, name);
  const image = readSaveImage(node, path);
  const bytes = new TextEncoder().encode(image.xml);
  refuseOthers(image, { name, uuid, path });
  return { bytes, incoming: { ...incomingOf(image, undefined), uses: path } };
}

function incomingOf({ file, streamAt, wasRunning }: SaveImage, wakes: boolean | undefined): Incoming {
  return { from: file, at: streamAt, wakes: wakes ?? wasRunning };
}

/** Refuses another domain's file, which an administrator has put there. qemuDomainObjRestore() of libvirt */
function refuseOthers(
  { xml }: SaveImage,
  { name, path, uuid }: { readonly name: string; readonly uuid: string; readonly path: string },
): void {
  const own = parseDomainText(xml);
  if (own.uuid === uuid) return;
  throw new SvirtError(
    `operation failed: cannot restore domain '${name}' uuid ${uuid} from a file which belongs to domain '${own.name}' uuid ${own.uuid}: ${path}`,
    {
      kind: "failed",
      libvirt: "OPERATION_FAILED",
      remedy: `Start it anew: svirt start ${name} --force-boot`,
    },
  );
}
