import type { Display } from "../../src/plan/facts/display.ts";
import { hostCall } from "./file-tree.ts";
import type { Machine } from "./machine.ts";

const LISTENING = "/proc/net/tcp";

/** TCP ports with a listener, as /proc shows them. A port is free again when its process has ended. */
export class Ports {
  readonly #machine: Machine;
  readonly #holders = new Map<number, number>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Passes a listening socket to a process. Throws "host-call" if the port is in use. */
  hand({ address, port }: Display, pid: number): void {
    if (this.#holders.has(port)) throw hostCall(`bind ${address}:${port}`, "EADDRINUSE");
    this.#holders.set(port, pid);
    this.#show();
  }

  letGo(pid: number): void {
    for (const [port, holder] of this.#holders) if (holder === pid) this.#holders.delete(port);
    this.#show();
  }

  /** Writes the ports to /proc: loopback in the order of the bytes, and TCP_LISTEN. proc_net(5) */
  #show(): void {
    const { files } = this.#machine;
    const lines = [...this.#holders.keys()].map((port, at) => {
      const hex = port.toString(16).toUpperCase().padStart(4, "0");
      return `   ${at}: 0100007F:${hex} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n`;
    });
    if (lines.length === 0 && files.find(LISTENING) === undefined) return;
    if (lines.length === 0) {
      files.remove(LISTENING);
      return;
    }
    if (files.find(LISTENING) === undefined) files.put(LISTENING, "file");
    files.get(LISTENING).bytes = new TextEncoder().encode(lines.join(""));
  }
}
