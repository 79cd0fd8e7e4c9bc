import * as v from "valibot";
import { guestPaths } from "../plan/paths.ts";
import { removePart } from "../run/remove-text.ts";
import type { Instance } from "./instance.ts";
import { isWritten } from "./record.ts";

/** Progress of a save, a dump or a snapshot with memory. */
const notedJob = v.strictObject({
  operation: v.picklist(["save", "dump", "snapshot"]),
  startedMs: v.number(),
  doneBytes: v.number(),
  totalBytes: v.number(),
});
export type NotedJob = v.InferOutput<typeof notedJob>;

/** Notes the progress of a guest's job for other calls. Without room for it only the report is missing. */
export function noteJob(instance: Instance, uuid: string, job: NotedJob): void {
  const text = `${JSON.stringify(job)}\n`;
  isWritten(() => instance.host.writeVolatile(jobPath(instance, uuid), text, 0o600));
}

/** Returns the progress of a guest's job; undefined without a job. */
export function readJob(instance: Instance, uuid: string): NotedJob | undefined {
  const { host, paths } = instance;
  // A killed process holds no lock, and has left its note.
  if (!host.isLocked(guestPaths(paths, uuid).lock)) return undefined;
  const text = host.readText(jobPath(instance, uuid));
  if (text === undefined) return undefined;
  try {
    return v.parse(notedJob, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Asks the process of a guest's job to abort it. */
export function askAbort(instance: Instance, uuid: string): void {
  instance.host.writeVolatile(abortPath(instance, uuid), "\n", 0o600);
}

/** Reports whether a call has asked for the end of a guest's job. */
export function isAbortAsked(instance: Instance, uuid: string): boolean {
  return instance.host.inspectFile(abortPath(instance, uuid)) !== undefined;
}

/** Reports whether a guest has a note of a job or of its abort, which a killed call leaves. */
export function hasJobNote(instance: Instance, uuid: string): boolean {
  return notesOf(instance, uuid).some((path) => instance.host.inspectFile(path) !== undefined);
}

/** Removes what noteJob() and askAbort() have written. */
export function forgetJob(instance: Instance, uuid: string): void {
  for (const path of notesOf(instance, uuid)) {
    instance.host.removeFile(path);
    removePart(instance.host, path);
  }
}

function notesOf(instance: Instance, uuid: string): readonly string[] {
  return [jobPath(instance, uuid), abortPath(instance, uuid)];
}

function jobPath({ paths }: Pick<Instance, "paths">, uuid: string): string {
  return `${guestPaths(paths, uuid).folder}/job`;
}

function abortPath({ paths }: Pick<Instance, "paths">, uuid: string): string {
  return `${guestPaths(paths, uuid).folder}/abort`;
}
