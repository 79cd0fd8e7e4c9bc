import * as v from "valibot";
import { ioError, jobStatus, plainReports } from "../qemu/monitor/reports.ts";
import type { Instance } from "./instance.ts";
import { isWritten } from "./record.ts";

/** What a guest's QEMU has reported, with what clients are told about the device. */
export const guestReport = v.variant("report", [
  ...plainReports,
  /** `path`: the disk's image. */
  v.strictObject({ ...ioError.entries, path: v.string() }),
  /** `disk`: its target, `path`: its image. */
  v.strictObject({
    report: v.literal("block-job"),
    disk: v.string(),
    path: v.string(),
    type: v.picklist(["pull", "copy", "commit", "active-commit"]),
    status: jobStatus,
  }),
  /** The agent in the guest opens or closes its channel. */
  v.strictObject({ report: v.literal("agent-lifecycle"), isConnected: v.boolean() }),
]);
export type GuestReport = v.InferOutput<typeof guestReport>;

/** Most reports of a guest that are kept: clients read them at once. */
const MOST = 64;

const kept = v.strictObject({
  /** The guest's start. Numbers begin anew with each. */
  startedMs: v.number(),
  reports: v.array(v.strictObject({ number: v.number(), what: guestReport })),
});
/** The last reports of a guest, in the order of their numbers. */
export type KeptReports = v.InferOutput<typeof kept>;

export const REPORTS_ENDING = ".json";

/** Returns the folder of the reports of this boot: a file for each guest that has run while a client waited for events. */
export function reportsFolder({ paths }: Pick<Instance, "paths">): string {
  return `${paths.run}/events`;
}

/** Returns undefined for a text that is not as keepReports() writes it. */
export function parseReports(text: string): KeptReports | undefined {
  try {
    return v.parse(kept, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Adds reports of a running guest for all clients that watch the folder. Without room for them they are lost. */
export function keepReports(
  instance: Instance,
  { startedMs, uuid }: { readonly startedMs: number; readonly uuid: string },
  reports: readonly GuestReport[],
): void {
  const path = fileOf(instance, uuid);
  const before = parseReports(instance.host.readText(path) ?? "");
  const known = before?.startedMs === startedMs ? before.reports : [];
  const first = (known.at(-1)?.number ?? 0) + 1;
  const added = reports.map((what, at) => ({ number: first + at, what }));
  const now: KeptReports = { startedMs, reports: [...known, ...added].slice(-MOST) };
  isWritten(() => {
    instance.host.makeFolder({ path: reportsFolder(instance), mode: 0o700 });
    instance.host.writeVolatile(path, `${JSON.stringify(now)}\n`, 0o600);
  });
}

/** Removes the reports of a guest that has ended. */
export function removeReports(instance: Instance, uuid: string): void {
  const path = fileOf(instance, uuid);
  if (instance.host.inspectFile(path) !== undefined) instance.host.removeFile(path);
}

function fileOf(instance: Pick<Instance, "paths">, uuid: string): string {
  return `${reportsFolder(instance)}/${uuid}${REPORTS_ENDING}`;
}
