import type { FileId } from "../plan/facts/file.ts";
import type { Line } from "../qemu/monitor/line-buffer.ts";

/** A pipe, one end of which a QEMU is given. */
export interface PipeWish {
  /** Which way the bytes go. */
  readonly direction: "from-guest" | "to-guest";
  /** What QEMU calls its end: `fd:NAME`. */
  readonly name: string;
  /** That of the guest's own files, so that nobody else's QEMU could use it; absent: svirt's own. */
  readonly label?: string;
}

/** How slow a stream may be, and who is told that it goes on. */
export interface Pace {
  /** Within that time a MiB must have moved, or the stream have ended. */
  readonly idleMs: number;
  /** Another MiB has moved. */
  onMoved(): void;
}

/** svirt's end of such a pipe. */
export interface GuestPipe {
  /**
   * Writes all that comes out of it into the file, from `offset` on, until QEMU lets go of its end. Returns the bytes.
   * Throws "host-call", "timeout"; "timeout" as well when it is closed meanwhile.
   */
  readInto(file: FileId, offset: number, pace: Pace): Promise<number>;
  /** Sends the file from `offset` on, and lets go. Throws as readInto() does. */
  sendFrom(file: FileId, offset: number, pace: Pace): Promise<void>;
  /** Lets go; done already is fine. */
  close(): void;
}

/** A socket of a guest's on which lines come and go. */
export interface LineChannel {
  /** Throws "timeout" when it is not taken in time. */
  send(bytes: Uint8Array, timeoutMs: number): Promise<void>;
  /**
   * The next line without its end; undefined when none has come in time. Throws "failed" for a longer one, and when the
   * guest has hung up.
   */
  readLine(timeoutMs: number, mostBytes: number): Promise<Line | undefined>;
  close(): void;
}

/** How a talk with a guest's terminal ended: its user left, the user's input did, or the guest hung up. */
export type TalkEnd = "left" | "input-ended" | "hung-up";
