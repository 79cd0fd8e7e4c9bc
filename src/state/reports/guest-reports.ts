import * as v from "valibot";
import { ioError, jobStatus, plainReports } from "../../qemu/monitor/reports.ts";
import type { Instance } from "../instance.ts";
import { isWritten, readRecord } from "../record.ts";
import { removeReports, reportsFile, reportsFolder } from "./report-files.ts";

/** A report of a guest's QEMU, with the facts about the device that clients get. */
const guestReport = v.variant("report", [
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

/** Most kept reports of a guest: clients read them at once. */
const MOST = 64;

const kept = v.strictObject({
  /** Time at which the guest was started. Each start has numbers of its own. */
  startedMs: v.number(),
  reports: v.array(v.strictObject({ number: v.number(), what: guestReport })),
});
/** The last reports of a guest, in the order of their numbers. */
export type KeptReports = v.InferOutput<typeof kept>;

/** Returns undefined for a text not written by keepReports(). */
export function parseReports(text: string): KeptReports | undefined {
  try {
    return v.parse(kept, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Guest in a single run. */
interface GuestRun {
  readonly startedMs: number;
  readonly uuid: string;
}

/** Returns the last reports of a running guest, the latest at the end. */
export function lastReports(instance: Instance, guest: GuestRun): readonly GuestReport[] {
  return readKept(instance, guest).map(({ what }) => what);
}

function readKept(instance: Instance, { startedMs, uuid }: GuestRun): KeptReports["reports"] {
  const before = parseReports(instance.host.readText(reportsFile(instance, uuid)) ?? "");
  return before?.startedMs === startedMs ? before.reports : [];
}

/**
 * Adds reports of a running guest for all clients that watch the folder. Without room for them they are lost.
 * The caller holds the lock of the guest's reports.
 */
export function keepReports(instance: Instance, guest: GuestRun, reports: readonly GuestReport[]): void {
  const { startedMs, uuid } = guest;
  const path = reportsFile(instance, uuid);
  const known = readKept(instance, guest);
  const first = (known.at(-1)?.number ?? 0) + 1;
  const added = reports.map((what, at) => ({ number: first + at, what }));
  const now: KeptReports = { startedMs, reports: [...known, ...added].slice(-MOST) };
  isWritten(() => {
    instance.host.makeFolder({ path: reportsFolder(instance), mode: 0o700 });
    instance.host.writeVolatile(path, `${JSON.stringify(now)}\n`, 0o600);
  });
  // The guest's end removes the file and then the record, and waits a second for the lock only.
  if (readRecord(instance, uuid)?.startedMs !== startedMs) removeReports(instance, uuid);
}
