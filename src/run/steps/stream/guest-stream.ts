import { REPORT_FAULT, SvirtError } from "../../../errors.ts";
import type { GuestPipe, Pace, PipeOptions } from "../../../host/channels.ts";
import type { Host } from "../../../host/host.ts";
import type { Monitor } from "../../../host/monitor.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { putFileLabel } from "../../labels/file-label.ts";
import { getFileLabel } from "../../labels/get-file-label.ts";
import { withMonitorSocket } from "../../monitor/converse.ts";
import { CHANGE_TIMEOUT_MS, STREAM_IDLE_MS } from "../../monitor/qmp-time-limits.ts";

/** QEMU's name of its end of the pipe. */
const PIPE = "svirt";
/** QEMU's URI of the pipe. */
export const PIPE_URI = `fd:${PIPE}`;
const FILE_MODE = 0o600;

/** Guest at the other end of the pipe, and the pipe's label. */
export interface StreamEnd {
  readonly monitor: string;
  readonly label?: string;
}

/** Creates the file for a guest's state. It is root's, has the requested label, and never has the guest's. */
export function makeTarget(host: Host, target: { readonly to: string; readonly fileLabel?: string }): FileId {
  const file = host.makeFile(target.to, FILE_MODE);
  const { fileLabel } = target;
  // On a mount with a common label of all files, the file already has it.
  if (fileLabel !== undefined && getFileLabel(host, file) !== fileLabel) putFileLabel(host, file, fileLabel);
  return file;
}

/**
 * Has QEMU write into a pipe, and copies its output into the file. `tell` waits until QEMU has written
 * everything.
 */
export async function streamOut(
  host: Host,
  end: StreamEnd,
  out: { readonly file: FileId; readonly at: number; tell(monitor: Monitor): Promise<void> },
): Promise<void> {
  await stream(host, end, {
    direction: "from-guest",
    tell: out.tell,
    async pump(pipe, pace) {
      await pipe.readInto(out.file, out.at, pace);
    },
  });
}

/** Copies from the file into a pipe, from which QEMU reads. `tell` waits until QEMU has read everything. */
export async function streamIn(
  host: Host,
  end: StreamEnd,
  source: { readonly file: FileId; readonly at: number; tell(monitor: Monitor): Promise<void> },
): Promise<void> {
  await stream(host, end, {
    direction: "to-guest",
    tell: source.tell,
    pump: (pipe, pace) => pipe.sendFrom(source.file, source.at, pace),
  });
}

interface Streaming extends Pick<PipeOptions, "direction"> {
  tell(monitor: Monitor): Promise<void>;
  pump(pipe: GuestPipe, pace: Pace): Promise<void>;
}

/** Keeps the conversation open as long as the stream moves. QEMU's own reports of progress do not count. */
async function stream(host: Host, end: StreamEnd, { direction, pump, tell }: Streaming): Promise<void> {
  const label = end.label === undefined ? {} : { label: end.label };
  await withMonitorSocket(host, { monitor: end.monitor, timeoutMs: CHANGE_TIMEOUT_MS }, async (monitor) => {
    const pipe = await monitor.openPipe({ direction, name: PIPE, ...label });
    const allow = (): void => monitor.allow(STREAM_IDLE_MS);
    allow();
    // The full disk is the cause. That QEMU lost its reader is only a consequence.
    let reason: unknown;
    const told = outcomeOf(tell(monitor), async (error) => {
      reason ??= error;
      await letGo(monitor, pipe);
    });
    const pumped = outcomeOf(pump(pipe, { idleMs: STREAM_IDLE_MS, onMoved: allow }), async (error) => {
      if (!isBrokenPipe(error)) reason ??= error;
    });
    const [ofQemu, ofFile] = [await told, await pumped];
    const error = reason ?? ofQemu ?? ofFile;
    if (error !== undefined) throw error;
  });
}

/** Returns the error of the work after its end, so that neither task is abandoned when the other fails. */
async function outcomeOf(work: Promise<void>, onError: (error: unknown) => Promise<void>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (thrown) {
    const error = thrown ?? new SvirtError("no reason given", { kind: "failed", remedy: REPORT_FAULT });
    await onError(error);
    return error;
  }
}

/**
 * Closes both ends of the pipe. QEMU might not use its end, or might keep it open: svirt would then wait
 * forever at its own end. It is not an error if QEMU has ended.
 */
async function letGo(monitor: Monitor, pipe: GuestPipe): Promise<void> {
  try {
    await monitor.execute("closefd", { fdname: PIPE });
  } catch {
    // QEMU uses its end and closes it itself.
  } finally {
    pipe.close();
  }
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && error.message.includes("EPIPE");
}
