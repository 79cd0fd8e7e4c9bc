import { canonical } from "../../domain/forms/canonical.ts";
import { errorsOf, listErrors, throwErrors, unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { listUnfinished, lockUnfinished, removeUnfinished, writeUnfinished } from "../../state/unfinished.ts";
import type { Unfinished, UnfinishedPoolWork } from "../../state/unfinished-schema.ts";
import { formatPool, parsePoolText } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";

/** Note of the work of a call. */
export interface WorkNote {
  /** Writes the note, before the first lasting step. Again, it does nothing. */
  begin(): void;
  /** Says that a failure leaves the work done in part: the note stays. */
  keep(): void;
}

/** Note closed by its caller. */
export interface OpenNote extends Pick<WorkNote, "begin"> {
  /** Unlocks the note: of work done in part it stays; of work done, it goes with earlier notes. */
  close(end: "done" | "undone" | "in part"): void;
}

/**
 * Does work with a note for a kill. The work begins the note, and the note is removed after it, also after a
 * failure unless the work keeps it. Done, the work makes up for killed calls of its kind, and their notes are
 * removed, too.
 */
export async function whileNoted<Result>(
  instance: Instance,
  work: Unfinished,
  run: (note: WorkNote) => Promise<Result>,
): Promise<Result> {
  const note = await openNote(instance, work);
  let end: "undone" | "in part" = "undone";
  const keep = (): void => {
    end = "in part";
  };
  let result: Result;
  try {
    result = await run({ begin: () => note.begin(), keep });
  } catch (error) {
    throwErrors([...listErrors(error), ...errorsOf(() => note.close(end))]);
    throw error;
  }
  note.close("done");
  return result;
}

/** Opens the note of work. Until it is closed, no call takes the work for left. */
export async function openNote(instance: Instance, work: Unfinished): Promise<OpenNote> {
  const id = instance.host.makeUuid();
  const unlock = await lockUnfinished(instance, id);
  let isBegun = false;
  return {
    begin() {
      if (isBegun) return;
      isBegun = true;
      writeUnfinished(instance, id, work);
    },
    close(end) {
      try {
        if (end === "done") forgetWork(instance, (earlier) => makesUpFor(work, earlier));
        if (end !== "in part" || !isBegun) removeUnfinished(instance, id);
      } finally {
        unlock();
      }
    },
  };
}

/** Removes the notes of killed calls about such work. */
export function forgetWork(instance: Instance, isSuch: (work: Unfinished) => boolean): void {
  for (const { id, work } of listUnfinished(instance)) if (isSuch(work)) removeUnfinished(instance, id);
}

/** Returns the note of work on a pool, begun now. */
export function poolWork(
  { host }: Instance,
  pool: Pool,
  { command, kind }: Pick<UnfinishedPoolWork, "command" | "kind">,
): UnfinishedPoolWork {
  return { format: 1, kind, command, name: pool.name, xml: formatPool(pool), begunMs: host.nowMs() };
}

/** Reports whether two documents of pools have the same source. A damaged one has none. */
export function haveSameSource(xml: string, other: string): boolean {
  const sourceOf = (text: string): string | undefined =>
    unlessRefused(() => {
      const { source, type } = parsePoolText(text);
      return canonical([type, source]);
    });
  const source = sourceOf(xml);
  return source !== undefined && source === sourceOf(other);
}

/** Reports whether nothing is left of earlier work once this work is done. */
function makesUpFor(done: Unfinished, earlier: Unfinished): boolean {
  if (done.kind === "volume")
    return earlier.kind === "volume" && earlier.path === done.path && covers(done, earlier);
  if (earlier.kind !== done.kind) return false;
  return earlier.name === done.name && haveSameSource(earlier.xml, done.xml);
}

type VolumeWork = Extract<Unfinished, { readonly kind: "volume" }>;

/** A wipe and a whole upload decide all data of a volume; the upload of a part makes up for the same part. */
function covers({ part }: VolumeWork, earlier: VolumeWork): boolean {
  if (part === undefined || (part.offset === 0 && part.mostBytes === undefined)) return true;
  return canonical(part) === canonical(earlier.part);
}
