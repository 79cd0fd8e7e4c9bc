import { REPORT_FAULT, SvirtError } from "../../../errors.ts";
import type { GuestPipe, Pace, PipeWish } from "../../../host/channels.ts";
import type { Host, Monitor } from "../../../host/host.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { getFileLabel, putFileLabel } from "../../labels/file-label.ts";
import { CHANGE_TIMEOUT_MS, converse, STREAM_IDLE_MS } from "../../monitor/converse.ts";

/** What QEMU calls its end of the pipe. */
const PIPE = "svirt";
/** QEMU's word for it. */
export const PIPE_URI = `fd:${PIPE}`;
const FILE_MODE = 0o600;

/** Of which guest, and with whose label the pipe is. */
export interface StreamEnd {
  readonly monitor: string;
  readonly label?: string;
}

/** The file that a guest's state is written to: root's, with the label that was wanted and never with the guest's. */
export function makeTarget(host: Host, target: { readonly to: string; readonly fileLabel?: string }): FileId {
  const file = host.makeFile(target.to, FILE_MODE);
  const { fileLabel } = target;
  // Where a mount gives all files one label, it has it already.
  if (fileLabel !== undefined && getFileLabel(host, file) !== fileLabel) putFileLabel(host, file, fileLabel);
  return file;
}

/** QEMU writes into a pipe, and svirt from there into the file. `tell` waits until QEMU has written all. */
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

/** svirt reads from the file, and QEMU from a pipe. `tell` waits until QEMU has read all. */
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

interface Streaming extends Pick<PipeWish, "direction"> {
  tell(monitor: Monitor): Promise<void>;
  pump(pipe: GuestPipe, pace: Pace): Promise<void>;
}

/** The conversation goes on for as long as the stream makes progress: what QEMU says of it is none. */
async function stream(host: Host, end: StreamEnd, { direction, pump, tell }: Streaming): Promise<void> {
  const label = end.label === undefined ? {} : { label: end.label };
  await converse(host, { monitor: end.monitor, timeoutMs: CHANGE_TIMEOUT_MS }, async (monitor) => {
    const pipe = await monitor.openPipe({ direction, name: PIPE, ...label });
    const allow = (): void => monitor.allow(STREAM_IDLE_MS);
    allow();
    // A full disk is the reason, and that QEMU has no reader any more only follows from it.
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

/** The error that it threw, once it is done; so that neither is left alone when the other fails. */
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
 * QEMU may not have taken its end, and one that has may keep it: so svirt gives its own end up, or it would wait for ever.
 * One that is gone has let go.
 */
async function letGo(monitor: Monitor, pipe: GuestPipe): Promise<void> {
  try {
    await monitor.execute("closefd", { fdname: PIPE });
  } catch {
    // It has taken it, and closes it itself.
  } finally {
    pipe.close();
  }
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && error.message.includes("EPIPE");
}
