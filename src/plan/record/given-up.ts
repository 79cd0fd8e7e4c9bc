import type { FileId } from "../facts/file.ts";
import { fileKey } from "../facts/file.ts";
import type { Claim } from "../facts/step-parts.ts";
import type { HandedTap } from "../facts/tap.ts";
import type { Step } from "../steps/step.ts";
import { listPlugged } from "./qemu-objects.ts";

/** What a guest is to have no more while it runs. */
export interface GivenUp {
  /** Of a file what fileKey() gives; of a tap `tap-NAME`; of connections to other programs `peers-CONTEXT`. */
  readonly key: string;
  /** Undefined: only its claim is known. */
  readonly path: string | undefined;
  /** What no process of the guest may do with it any more: a file that others come to read it may go on reading. */
  readonly forbidden: "any" | "writing";
  /** Of a tap that the guest was passed and that is no macvtap: whether svirt made it, so that it ends with its last file. */
  readonly tap?: Pick<HandedTap, "name" | "isMade">;
  /** Of connections: as many are left to the guest, and which of them it has does not tell. */
  readonly keeps?: number;
}

/**
 * What those steps give up, each once. Empty: they take nothing from the guest that it could hold on to. Where a file lies that
 * only its claim tells of, the guest's steps before, `done`, may say.
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
      // A macvtap is removed with the steps that follow, and its queues end with it. macvtap_dellink() of Linux
      ...(tap === undefined || tap.macvtap !== undefined
        ? {}
        : { tap: { name: tap.name, isMade: tap.isMade } }),
    });
  }
  return [...found.values()];
}

/**
 * The connections to other programs that those steps end. A connection is no file: it is told by its context, in which nobody
 * but svirt makes any. Without confinement nothing tells it.
 */
export function listEndedPeers(done: readonly Step[], ending: readonly Step[]): GivenUp[] {
  const keeps = listPlugged([...done, ...ending]).peers.size;
  const context = done.flatMap(peersOf).find((peer) => peer.context !== undefined)?.context;
  if (context === undefined || keeps === listPlugged(done).peers.size) return [];
  return [{ key: `peers-${context}`, path: undefined, forbidden: "any", keeps }];
}

/** What those steps take for the guest: files by fileKey(), with their paths as far as a step tells them, and taps. */
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

/** The taps that a step passes to the guest. */
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

/** A level, a user or a port is nothing that a process could keep behind svirt's back. A socket to come is made anew. */
function isHeld({ key, kind }: Claim): boolean {
  return kind === "tap" || (kind === "file" && !key.startsWith("socket-"));
}

function keyOf({ key, kind }: Claim): string {
  return kind === "tap" ? `tap-${key}` : key;
}
