import type { FileId } from "../plan/guest-order.ts";

/** A pipe, one end of which a QEMU is given. */
export interface PipeWish {
  /** Which way the bytes go. */
  readonly direction: "from-guest" | "to-guest";
  /** What QEMU calls its end: `fd:NAME`. */
  readonly name: string;
  /** That of the guest's own files, so that nobody else's QEMU could use it; absent: svirt's own. */
  readonly label?: string;
}

/** svirt's end of such a pipe. */
export interface GuestPipe {
  /** Writes all that comes out of it into the file, from `offset` on, until QEMU lets go of its end. Gives the bytes. */
  readInto(file: FileId, offset: number): Promise<number>;
  /** Sends what is in the file from `offset` on, and lets go. */
  sendFrom(file: FileId, offset: number): Promise<void>;
  /** Lets go; done already is fine. */
  close(): void;
}

/** A socket of a guest's on which lines come and go. */
export interface LineChannel {
  /** Throws "timeout" when nobody takes it. */
  send(bytes: Uint8Array): void;
  /** The next line without its end; undefined when none has come in time. Throws "failed" when the guest has hung up. */
  readLine(timeoutMs: number): Promise<Uint8Array | undefined>;
  close(): void;
}

/** How a talk with a guest's terminal ended: its user left, the user's input did, or the guest hung up. */
export type TalkEnd = "left" | "input-ended" | "hung-up";
