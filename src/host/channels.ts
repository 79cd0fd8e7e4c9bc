import type { FileId } from "../plan/facts/file.ts";
import type { Line } from "../qemu/monitor/line-buffer.ts";

/** Request for a pipe with an end for QEMU. */
export interface PipeOptions {
  /** Direction of the bytes. */
  readonly direction: "from-guest" | "to-guest";
  /** QEMU's name of its end: `fd:NAME`. */
  readonly name: string;
  /** Label of the guest's files, so that no other QEMU can use the pipe; absent: svirt's own label. */
  readonly label?: string;
}

/** Minimum speed of a stream, and the callback for its progress. */
export interface Pace {
  /** Time in which the stream must move a MiB or end. */
  readonly idleMs: number;
  /** Called after each MiB. */
  onMoved(): void;
}

/** svirt's end of a guest's pipe. */
export interface GuestPipe {
  /**
   * Writes the pipe's output into the file from `offset` on, until QEMU closes its end. Returns the number of
   * bytes. Throws "host-call", "timeout"; also "timeout" if the pipe is closed during the transfer.
   */
  readInto(file: FileId, offset: number, pace: Pace): Promise<number>;
  /** Sends the file from `offset` on, and closes the pipe. Throws like readInto(). */
  sendFrom(file: FileId, offset: number, pace: Pace): Promise<void>;
  /** Closes the pipe; closing it again is not an error. */
  close(): void;
}

/** A guest's socket for lines. */
export interface LineChannel {
  /** Throws "timeout" if the guest does not accept the bytes in time. */
  send(bytes: Uint8Array, timeoutMs: number): Promise<void>;
  /**
   * Returns the next line without its end; undefined if none arrives in time. Throws "failed" for a longer
   * line, and if the guest has closed the connection.
   */
  readLine(timeoutMs: number, mostBytes: number): Promise<Line | undefined>;
  close(): void;
}

/** Watch over the files of folders. While it waits, other work goes on. */
export interface FolderWatch extends Watching {
  /** Returns whether a file was written, renamed or removed since the last call. Never waits. */
  take(): boolean;
}

/** Watch over the devices of the host. */
export interface DeviceWatch extends Watching {
  /**
   * Returns the folders in sysfs of devices that have changed since the last call; undefined if no device was
   * added, changed, moved or removed. Never waits.
   */
  take(): readonly string[] | undefined;
}

interface Watching {
  /** Returns once take() would return something, or after close(). */
  wait(): Promise<void>;
  close(): void;
}

/** Standard input and output as a client's connection. */
export interface ByteStream {
  /**
   * Yields bytes as they arrive, each piece valid until the next, until the client closes its side. Throws
   * "host-call".
   */
  read(): AsyncIterable<Uint8Array>;
  /**
   * Returns once the bytes are written, however slowly the client reads. Drops them if it has closed. Throws
   * "host-call".
   */
  write(bytes: Uint8Array): Promise<void>;
}

/** Data of a stream: at least a byte, or the length of a hole, which reads as zeros. */
export type Piece = Uint8Array | { readonly holeBytes: number };

/** Open end of a stream. While its calls wait, other work goes on. */
export interface DataStream {
  /**
   * Returns the next data, bytes of at most this number; undefined at the end. Absent: none comes from here.
   * Throws "host-call".
   */
  next?(mostBytes: number): Promise<Piece | undefined>;
  /** Takes data. Absent: it takes none. Throws "host-call". */
  put?(piece: Piece): Promise<void>;
  /**
   * Returns once all that it has taken is on disk. Absent: there is nothing to wait for. Throws "host-call".
   */
  finish?(): Promise<void>;
  /** Ends it, whatever it waits for. Ending it again is not an error. */
  close(): Promise<void>;
}

/**
 * Reason for the end of a session with a guest's terminal: the user left, the input ended, the guest hung up,
 * or another process asked for the terminal.
 */
export type TalkEnd = "left" | "input-ended" | "hung-up" | "asked";
