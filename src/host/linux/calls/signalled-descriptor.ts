import { basicCalls } from "./libc.ts";
import { ignoreSignal, wakeBySignal } from "./sigio.ts";
import { poll } from "./terminal.ts";
import { POLLIN } from "./wait-ready.ts";

/** A descriptor with data reported by the kernel by SIGIO: neither a thread nor a timer waits for it. */
export class SignalledDescriptor {
  readonly fd: number;
  #resolve: (() => void) | undefined;
  #isClosed = false;

  /** Takes the descriptor, and closes it if it throws as wakeBySignal(). */
  constructor(fd: number) {
    this.fd = fd;
    try {
      wakeBySignal(fd, this);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Returns once there is data, or after close(). */
  async wait(): Promise<void> {
    if (this.#isClosed || (poll([{ fd: this.fd, events: POLLIN }], 0)[0] ?? 0) !== 0) return;
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
  }

  wake(): void {
    this.#resolve?.();
    this.#resolve = undefined;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    ignoreSignal(this);
    basicCalls().close(this.fd);
    this.wake();
  }
}
