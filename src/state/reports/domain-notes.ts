import * as v from "valibot";
import { unlessWorkRefused } from "../../errors.ts";
import { recordsFolder } from "../../plan/paths.ts";
import type { Instance } from "../instance.ts";
import { withNotesLock } from "../locks.ts";
import { readEndNs } from "../shutoff-reason.ts";

/** Values are numbers of at most 53 bits, or texts. */
const parameters = v.array(
  v.strictObject({ field: v.string(), value: v.union([v.pipe(v.number(), v.safeInteger()), v.string()]) }),
);

/** Work of svirt on a domain without a file of its own. */
const domainNote = v.variant("report", [
  /** A save or dump is finished. Sizes are QEMU's. */
  v.strictObject({
    report: v.literal("job-completed"),
    operation: v.picklist(["save", "dump", "snapshot"]),
    elapsedMs: v.number(),
    doneBytes: v.number(),
    totalBytes: v.number(),
  }),
  /**
   * The title, the description or the element of a namespace was set or removed. `uri` is its namespace
   * unless too long.
   */
  v.strictObject({
    report: v.literal("metadata-change"),
    type: v.picklist(["description", "title", "element"]),
    uri: v.exactOptional(v.string()),
  }),
  /** Limits and pins of a running guest, by libvirt's names: VIR_DOMAIN_TUNABLE_* of libvirt-domain.h. */
  v.strictObject({ report: v.literal("tunable"), parameters }),
  /**
   * An optional image was missing at the start: a drive is empty (`isEmptied`), or a disk is missing.
   * `device`: its alias.
   */
  v.strictObject({
    report: v.literal("disk-change"),
    device: v.string(),
    path: v.string(),
    isEmptied: v.boolean(),
  }),
]);
export type DomainNote = v.InferOutput<typeof domainNote>;

/** Ending of a file's name with a domain's notes. */
export const NOTES_ENDING = ".json";

/** Most kept notes of a domain: clients read them at once. */
const MOST = 64;
/** Most characters of all notes but the last of a domain. */
const MOST_CHARS = 262_144;
/** Most bytes of a note's URI: a longer URI is left out, since a part of it is another URI. */
const MOST_URI_BYTES = 4096;
/** Time for which clients can read the notes of a domain, counted from its end and from its last note. */
const KEPT_MS = 60_000;
const MS_TO_NS = 1_000_000n;

const kept = v.strictObject({
  name: v.string(),
  /** Number in the list of running domains; missing if the domain is off. */
  id: v.exactOptional(v.number()),
  /** Numbers rise, also after the file was removed. */
  notes: v.array(v.strictObject({ number: v.number(), what: domainNote })),
});
/** The last notes of a domain, in the order of their numbers. */
export type KeptNotes = v.InferOutput<typeof kept>;

/** Returns the folder of the notes of this boot: a file for each domain that has any. */
export function domainNotesFolder({ paths }: Pick<Instance, "paths">): string {
  return `${paths.run}/domain-notes`;
}

/** Returns undefined for a text not written by noteDomain(). */
export function parseNotes(text: string): KeptNotes | undefined {
  try {
    return v.parse(kept, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Notes finished work on a domain for all clients that watch the folder. Without room for it, or without the
 * lock of notes within a second, only the report is missing. The caller may hold any other lock.
 */
export async function noteDomain(
  instance: Instance,
  domain: { readonly name: string; readonly uuid: string; readonly id?: number | undefined },
  ...notes: readonly DomainNote[]
): Promise<void> {
  if (notes.length === 0) return;
  await unlessWorkRefused(async () => {
    await withNotesLock(instance, async () => {
      removeOld(instance, domain.uuid);
      add(instance, domain, notes.map(bounded));
    });
  });
}

/** Returns the last notes of a domain; undefined if there are none. */
export function readNotes(instance: Instance, uuid: string): KeptNotes | undefined {
  return parseNotes(instance.host.readText(notesFile(instance, uuid)) ?? "");
}

function bounded(note: DomainNote): DomainNote {
  if (note.report !== "metadata-change" || Buffer.byteLength(note.uri ?? "") <= MOST_URI_BYTES) return note;
  return { report: note.report, type: note.type };
}

function add(
  instance: Instance,
  { id, name, uuid }: Parameters<typeof noteDomain>[1],
  notes: readonly DomainNote[],
): void {
  const { host } = instance;
  const before = readNotes(instance, uuid)?.notes ?? [];
  const first = Math.max((before.at(-1)?.number ?? 0) + 1, Math.floor(host.nowMs()));
  const added = notes.map((what, at) => ({ number: first + at, what }));
  const now: KeptNotes = {
    name,
    ...(id === undefined ? {} : { id }),
    notes: within([...before, ...added].slice(-MOST)),
  };
  host.makeFolder({ path: domainNotesFolder(instance), mode: 0o700 });
  host.writeVolatile(notesFile(instance, uuid), `${JSON.stringify(now)}\n`, 0o600);
}

/** Returns the last notes with room for their texts: a client chooses notes of metadata. */
function within(notes: KeptNotes["notes"]): KeptNotes["notes"] {
  let chars = 0;
  const first = notes.findLastIndex(({ what }) => {
    chars += JSON.stringify(what).length;
    return chars > MOST_CHARS;
  });
  return first === -1 ? notes : notes.slice(Math.min(first + 1, notes.length - 1));
}

/** Removes the notes of other domains that are off, once clients have had time to read them. */
function removeOld(instance: Instance, uuid: string): void {
  const { host, paths } = instance;
  const folder = domainNotesFolder(instance);
  const until = BigInt(Math.floor(host.nowMs()) - KEPT_MS) * MS_TO_NS;
  for (const file of host.listFolder(folder)) {
    const path = `${folder}/${file}`;
    if (
      file === `${uuid}${NOTES_ENDING}` ||
      host.inspectFile(`${recordsFolder(paths)}/${file}`) !== undefined
    )
      continue;
    const endNs = readEndNs(instance, file.slice(0, -NOTES_ENDING.length)) ?? 0n;
    const modifiedNs = host.inspectFile(path)?.times.modifiedNs;
    if (modifiedNs === undefined || (modifiedNs < until && endNs < until)) host.removeFile(path);
  }
}

function notesFile(instance: Pick<Instance, "paths">, uuid: string): string {
  return `${domainNotesFolder(instance)}/${uuid}${NOTES_ENDING}`;
}
