import type { FileId } from "../facts/file.ts";
import { fileKey } from "../facts/file-key.ts";
import { claimed, type ReleasedResource } from "../facts/released-resource.ts";
import type { PassedTap } from "../facts/tap.ts";
import { kindOf } from "../steps/kind-of.ts";
import type { Step } from "../steps/step.ts";
import { listQemuObjects } from "./qemu-objects.ts";

/**
 * Returns the resources released by the steps, each once. Empty: the steps release nothing of use to the
 * guest. `done`, the guest's earlier steps, supply the path of a file known only by its claim.
 */
export function listReleased(steps: readonly Step[], done: readonly Step[] = []): ReleasedResource[] {
  const paths = pathsIn(done);
  const taps = new Map([...done, ...steps].flatMap(tapsOf).map((tap) => [`tap-${tap.name}`, tap]));
  const found = new Map<string, ReleasedResource>();
  for (const one of steps.flatMap((step) => releasedBy(step) ?? [])) {
    const before = found.get(one.key);
    const tap = taps.get(one.key);
    const isAll = one.forbidden === "any" || before?.forbidden === "any";
    found.set(one.key, {
      key: one.key,
      path: one.path ?? before?.path ?? paths.get(one.key),
      forbidden: isAll ? "any" : "writing",
      // A later step removes a macvtap, and its queues end with it. macvtap_dellink() of Linux
      ...(tap === undefined || tap.macvtap !== undefined
        ? {}
        : { tap: { name: tap.name, isMade: tap.isMade } }),
    });
  }
  return [...found.values()];
}

/**
 * Returns the connections to other programs ended by the steps. A connection is not a file: it is identified
 * by its context, given by svirt to connections only. Without confinement it cannot be identified, and the
 * result is empty.
 */
export function listEndedPeers(done: readonly Step[], ending: readonly Step[]): ReleasedResource[] {
  const keeps = listQemuObjects([...done, ...ending]).peers.size;
  const context = done.flatMap(peersOf).find((peer) => peer.context !== undefined)?.context;
  if (context === undefined || keeps === listQemuObjects(done).peers.size) return [];
  return [{ key: `peers-${context}`, path: undefined, forbidden: "any", keeps }];
}

/** Returns the files and taps claimed by the steps for the guest, by key, with the paths in the steps. */
export function listClaimed(steps: readonly Step[]): Pick<ReleasedResource, "key" | "path">[] {
  const paths = pathsIn(steps);
  const reserved = steps.flatMap((step) => (step.do === "reserve" ? (claimed(step.claim)?.key ?? []) : []));
  const labelled = steps.flatMap((step) => (step.do === "set-label" ? fileKey(step.file) : []));
  return [...new Set([...reserved, ...labelled])].map((key) => ({ key, path: paths.get(key) }));
}

function pathsIn(steps: readonly Step[]): ReadonlyMap<string, string> {
  return new Map(steps.flatMap(filesOf).map((file) => [fileKey(file), file.path]));
}

function filesOf(step: Step): readonly FileId[] {
  switch (step.do) {
    case "set-label":
      return [step.file];
    case "share-tree":
      return [step.folder];
    case "spawn":
      return step.order.files.map(({ file }) => file);
    case "plug":
      return step.files.map(({ file }) => file);
    default:
      return [];
  }
}

/** Returns the taps passed to the guest by a step. */
export function tapsOf(step: Step): readonly PassedTap[] {
  if (step.do === "spawn") return step.order.taps ?? [];
  return step.do === "pass-tap" ? [step.tap] : [];
}

function peersOf(step: Step): readonly { readonly context?: string }[] {
  if (step.do === "spawn") return step.order.peers ?? [];
  return step.do === "plug" ? (step.peers ?? []) : [];
}

function releasedBy(step: Step): ReleasedResource | undefined {
  const { releases } = kindOf(step);
  return releases === "nothing" ? undefined : releases(step);
}
