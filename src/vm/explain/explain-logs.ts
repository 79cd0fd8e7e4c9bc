import type { Instance } from "../../state/instance.ts";
import { findDomain } from "../guest/find-domain.ts";
import { type Explanation, explainLog } from "./explain.ts";
import { type HeldGuest, listHeldGuests } from "./held-guests.ts";
import { readLogs } from "./read-logs.ts";

/** Start of the period whose denials are explained: an age, a time since 1970, the boot, or no limit. */
export type Since = { readonly agoMs: number } | { readonly atMs: number } | "boot" | "ever";

/** Selection of denials. */
export interface ExplainLogsOptions {
  /** File of lines, `-` for standard input; undefined: the host's logs. */
  readonly file: string | undefined;
  /** Name, id or UUID of a domain; undefined: all. */
  readonly key: string | undefined;
  /** Include programs of the host without relation to guests. */
  readonly isAll: boolean;
  readonly since: Since;
  /** Called if older denials were dropped: only the latest `most` are explained. */
  onCut?(most: number): void;
}

/**
 * Explained denials, the latest last, and the guests that have not released a resource; none of these for a
 * file.
 */
export interface ExplainedLogs {
  readonly denials: readonly Explanation[];
  readonly held: readonly HeldGuest[];
}

/**
 * Explains the denials in the host's logs or in a file. Changes nothing. Throws "not-found"; "denied" if the
 * logs are not readable; "failed" if there is no policy for guests.
 */
export function explainLogs(
  instance: Instance,
  { file, key, since, ...options }: ExplainLogsOptions,
): ExplainedLogs {
  const lines = readLogs(instance.host, file);
  const guest = key === undefined ? undefined : findDomain(instance, key).uuid;
  const denials = explainLog(instance, lines, { ...options, guest, sinceMs: sinceMs(instance, since) });
  // A log from a file does not describe the present.
  return { denials, held: file === undefined ? listHeldGuests(instance, guest) : [] };
}

function sinceMs({ host }: Instance, since: Since): number {
  if (since === "boot") return host.getBootTime() * 1000;
  if (since === "ever") return 0;
  return "atMs" in since ? since.atMs : host.nowMs() - since.agoMs;
}
