import type { Display } from "../plan/facts/display.ts";
import type { PassedFile, PluggedPeer } from "../plan/facts/launch-spec.ts";
import type { PassedTap } from "../plan/facts/tap.ts";
import type { QmpEvent } from "../qemu/monitor/qmp.ts";
import type { GuestPipe, PipeOptions } from "./channels.ts";

/**
 * A conversation with a QEMU. A single deadline covers all of it, regardless of the number of commands and of
 * QEMU's output.
 */
export interface Monitor {
  /** Resets the deadline to this time from now, for work that makes progress or has its own limit. */
  allow(timeoutMs: number): void;
  /** Throws "failed" with QEMU's message if it answers with an error, "timeout" if it does not answer. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /**
   * Opens the file and passes it to QEMU as its own set, `/dev/fdset/FD`. Throws "host-call", "denied",
   * "failed".
   */
  handOver(file: PassedFile): Promise<void>;
  /** Creates or opens a tap and passes its queues to QEMU under their names. Throws "host-call", "failed". */
  passTap(tap: PassedTap): Promise<void>;
  /**
   * Connects to another program's socket and passes the connection to QEMU under its name. Throws
   * "host-call", "denied", "failed".
   */
  handPeer(peer: PluggedPeer): Promise<void>;
  /** Listens on a TCP port and passes the socket to QEMU under that name. Throws "host-call", "failed". */
  handListener(name: string, display: Display): Promise<void>;
  /**
   * Creates a pipe and passes QEMU its end. Throws "host-call", "failed". getfd of qemu.git qapi/misc.json
   */
  openPipe(options: PipeOptions): Promise<GuestPipe>;
  /**
   * Waits for QEMU's report of the device's removal, or of its rejection by the guest. Returns "kept" if it
   * reports neither in time. Reports since the start of the conversation count.
   */
  waitUntilDeleted(device: string, timeoutMs: number): Promise<"deleted" | "rejected" | "kept">;
  close(): void;
}

/**
 * A QEMU's events, by its second monitor. QEMU has a single client there; two others wait in its queue until
 * the client leaves. A connection refused or ended by QEMU is made again, at most once a second.
 */
export interface EventFeed {
  /** Resolves once QEMU sends its events here, or has refused the first connection. */
  readonly served: Promise<void>;
  /** Returns the events since the last call; of a flood only the first. Never waits. */
  take(): readonly QmpEvent[];
  close(): void;
}
