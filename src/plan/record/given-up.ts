import { type FileId, fileKey } from "../facts/file.ts";
import type { Claim } from "../facts/step-parts.ts";
import type { HandedTap } from "../facts/tap.ts";
import type { Step } from "../steps/step.ts";
import { listPlugged } from "./qemu-objects.ts";

/** Resource that a running guest must release. */
export interface GivenUp {
  /** fileKey() of a file, `tap-NAME` of a tap, `peers-CONTEXT` of connections to other programs. */
  readonly key: string;
  /** Undefined: only the claim is known. */
  readonly path: string | undefined;
  /** Access that no process of the guest may keep. A file that becomes shared content may still be read. */
  readonly forbidden: "any" | "writing";
  /** Tap that the guest was passed and that is no macvtap. If svirt created it (`isMade`), it ends with its last file. */
  readonly tap?: Pick<HandedTap, "name" | "isMade">;
  /** Number of connections that the guest keeps. It is not known which ones. */
  readonly keeps?: number;
}

/**
 * Returns the resources that those steps release, each once. Empty: the steps release nothing that the guest could keep.
 * `done`, the guest's earlier steps, supply the path of a file that is known only by its claim.
 */
export function listGivenUp(steps: readonly Step[], done: readonly Step[] = []): GivenUp[] {
  const paths = pathsIn(done);
  const taps = new Map([...done, ...steps].flatMap(tapsOf).map((tap) => [`tap-${tap.name}`, tap]));
  const found = new Map<string, GivenUp>();
  for (const one of steps.flatMap((step) => givenUpBy(step) ?? [])) {
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
 * Returns the connections to other programs that those steps end. A connection is no file: it is identified by its context,
 * which only svirt gives to connections. Without confinement it cannot be identified, and the result is empty.
 */
export function listEndedPeers(done: readonly Step[], ending: readonly Step[]): GivenUp[] {
  const keeps = listPlugged([...done, ...ending]).peers.size;
  const context = done.flatMap(peersOf).find((peer) => peer.context !== undefined)?.context;
  if (context === undefined || keeps === listPlugged(done).peers.size) return [];
  return [{ key: `peers-${context}`, path: undefined, forbidden: "any", keeps }];
}

/** Returns the files and taps that those steps claim for the guest, by key, with the paths that the steps name. */
export function listTaken(steps: readonly Step[]): Pick<GivenUp, "key" | "path">[] {
  const paths = pathsIn(steps);
  const reserved = steps.flatMap((step) =>
    step.do === "reserve" && isHeld(step.claim) ? keyOf(step.claim) : [],
  );
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

/** Returns the taps that a step passes to the guest. */
export function tapsOf(step: Step): readonly HandedTap[] {
  if (step.do === "spawn") return step.order.taps ?? [];
  return step.do === "hand-tap" ? [step.tap] : [];
}

function peersOf(step: Step): readonly { readonly context?: string }[] {
  if (step.do === "spawn") return step.order.peers ?? [];
  return step.do === "plug" ? (step.peers ?? []) : [];
}

function givenUpBy(step: Step): GivenUp | undefined {
  switch (step.do) {
    case "restore-label":
      return { key: fileKey(step.file), path: step.file.path, forbidden: "any" };
    case "release":
      if (!isHeld(step.claim)) return undefined;
      return { key: keyOf(step.claim), path: undefined, forbidden: "any" };
    case "change-label": {
      if (step.to.sharing !== "shared") return undefined;
      return { key: fileKey(step.file), path: step.file.path, forbidden: "writing" };
    }
    default:
      return undefined;
  }
}

/** Reports whether a process could keep the resource: not a level, a user, a port or a planned socket (`socket-`). */
function isHeld({ key, kind }: Claim): boolean {
  return kind === "tap" || (kind === "file" && !key.startsWith("socket-"));
}

function keyOf({ key, kind }: Claim): string {
  return kind === "tap" ? `tap-${key}` : key;
}
