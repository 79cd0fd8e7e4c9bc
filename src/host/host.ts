import type { Cryptography } from "../images/luks/cryptography.ts";
import type { Machine } from "../label/machine.ts";
import type { BridgeMark, HostBridge } from "../network/bridge/host-bridge.ts";
import type { Shape } from "../network/traffic-shape.ts";
import type { Display } from "../plan/facts/display.ts";
import type { FloorTarget, Macvtap, TapSetup } from "../plan/facts/tap.ts";
import type { ByteStream, DataStream, LineChannel, TalkEnd } from "./channels.ts";
import type { FileFacts, FileHost } from "./files.ts";
import type { EventFeed, Monitor } from "./monitor.ts";
import type { MountHost } from "./mounts.ts";
import type { ProcessHost } from "./processes.ts";
import type { SelinuxHost } from "./selinux.ts";

/**
 * The machine, as small operations. Each operation is a system call, or a few related calls. It throws
 * "host-call" or "no-access" with the call's message. All folders before `host` are pure. `host/linux/` is
 * the only implementation; tests have another in memory.
 */
export interface Host extends FileHost, MountHost, ProcessHost, SelinuxHost {
  /** Returns the arithmetic of encryption, for a few commands. */
  getCryptography(): Promise<Cryptography>;
  /**
   * `timeoutMs` limits the whole conversation. Throws "timeout"; "failed" if QEMU has ended or sends invalid
   * data.
   */
  connectMonitor(path: string, timeoutMs: number): Promise<Monitor>;
  /**
   * Connects to a QEMU's monitor for events, without waiting. `onEvent` is called when there are some to
   * take.
   */
  followEvents(path: string, onEvent: () => void): EventFeed;
  /**
   * Configures the host end of a tap and brings it up last, unless it is to stay down until another call.
   * rtnetlink(7)
   */
  setUpTap(setup: TapSetup, how?: "down"): void;
  /**
   * Removes the tap if it has this address; otherwise it has another owner. Does nothing if it is missing.
   */
  removeTap(tap: { readonly name: string; readonly mac: string }): void;
  /**
   * Takes the tap off its bridge and down if it has this address. No frame passes it then. Does nothing if it
   * is missing.
   */
  disconnectTap(tap: { readonly name: string; readonly mac: string }): void;
  /**
   * Throws "host-call"; "in-use" if a network device has the name, "unsupported" if the kernel lacks the
   * module.
   */
  makeMacvtap(link: Macvtap): void;
  /**
   * Removes the macvtap if it is in this group; otherwise it has another owner. Does nothing if it is
   * missing.
   */
  removeMacvtap(link: Pick<Macvtap, "name" | "group">): void;
  /**
   * Lists the names of the network devices by which the host has a default route of the main table. Throws
   * "host-call".
   */
  listDefaultRoutes(): readonly string[];
  /**
   * Creates a bridge with its addresses, and brings it up. Throws "host-call"; "in-use" if a network device
   * has the name.
   */
  makeBridge(bridge: HostBridge): void;
  /**
   * Removes a bridge created by svirt with this address; another bridge stays. Does nothing if it is missing.
   */
  removeBridge(mark: BridgeMark): void;
  /**
   * Changes rules of the packet filter by a script of nft, as a whole or not at all. Throws "unsupported"
   * without nft, "host-call" with its message.
   */
  setPacketRules(script: string): Promise<void>;
  /**
   * Returns all rules of the packet filter in the language of nft, without elements of named sets. Throws as
   * setPacketRules().
   */
  listPacketRules(): Promise<string>;
  /**
   * Removes a table of the packet filter for frames of devices (netdev), without nft. A missing table is no
   * error. Throws "host-call".
   */
  removeTapTable(table: string): void;
  /**
   * Limits the frames that leave the host by a tap, or no longer, in place of an earlier limit. Throws
   * "unsupported" if the kernel has no HTB. tc-htb(8)
   */
  shapeTap(name: string, shape: Shape | undefined): void;
  /**
   * Guarantees an address a share of a bridge with a limit, in place of an earlier share, or none. Without a
   * share a missing bridge is no error. Throws "host-call"; "unsupported" if the kernel has no u32 filters.
   */
  setFloor(to: FloorTarget, bytesPerSecond: number | undefined): void;
  /**
   * Connects standard input and output to an inspected terminal or socket of the guest, or to a TCP port of
   * this host. Ends at the byte `leaveBy`, when a side ends, or soon after `isAskedFor` is true. Sets a
   * terminal at standard input to raw mode, and always restores it. Throws "failed" if a signal ends the
   * connection.
   */
  talk(
    to: FileFacts | Display,
    how: { readonly leaveBy?: number; isAskedFor?(): boolean; onOpen(): void },
  ): Promise<TalkEnd>;
  /** Returns standard input and output as a connection. While it waits, other work goes on. */
  openCaller(): Promise<ByteStream>;
  /**
   * Connects to an inspected terminal or socket of the guest. The stream ends when the guest closes its side.
   * Calls `onAsked` soon after `isAskedFor` is true, until the stream is closed. Throws "host-call"; the
   * stream throws "timeout" if the guest takes no data for 10 s.
   */
  openConsole(to: FileFacts, how: { isAskedFor(): boolean; onAsked(): void }): Promise<DataStream>;
  /** Connects to an inspected socket of the guest. Throws "host-call". */
  connectLines(to: FileFacts): Promise<LineChannel>;
  /** Returns the ID of the current boot. random(4) */
  getBootId(): string;
  /** Returns how many virtual CPUs KVM gives a guest at most; undefined if /dev/kvm cannot be opened. */
  getKvmVcpuLimit(): number | undefined;
  /** Returns the machine, identified by an ID that survives reboots. */
  getMachine(): Machine;
  /** Returns the boot time in seconds since 1970. libvirt writes it into its attributes. */
  getBootTime(): number;
  getUid(): number;
  nowMs(): number;
  /** Removes unused objects at once. svirt's memory grows by all that it has used since the last time. */
  freeMemory(): void;
  sleep(ms: number): Promise<void>;
  makeUuid(): string;
  /** Returns 64 bits of a text in hexadecimal digits, which show damage and edits by hand. */
  checksum(text: string): string;
}
