import type { LineChannel } from "../../src/host/channels.ts";

interface Asked {
  readonly execute: string;
  readonly arguments?: { readonly id?: number };
}

/** Guest agent of a guest, as configured by a test. */
export class Agent {
  /** Answers by command, each a whole message; undefined if the agent does not run. */
  answers: ReadonlyMap<string, object> | undefined;
  /** Lines for an earlier client, which every new connection receives first. */
  left: readonly string[] = [];
  /** Requests received, without those for guest-sync-delimited. */
  readonly asked: string[] = [];
  /** How long svirt would have tried to send each of them, in milliseconds. */
  readonly sendingMs: number[] = [];
  /** How long svirt would have waited for each line, in milliseconds. */
  readonly waited: number[] = [];
  /** Commands that the agent obeys without an answer. */
  silent: ReadonlySet<string> = new Set();

  connect(): LineChannel {
    const lines = this.left.map((line): Uint8Array => new TextEncoder().encode(line));
    return {
      send: async (bytes, timeoutMs) => {
        const before = this.asked.length;
        if (this.answers !== undefined) lines.push(...this.#answer(bytes));
        if (this.asked.length > before) this.sendingMs.push(timeoutMs);
      },
      readLine: async (timeoutMs) => {
        this.waited.push(timeoutMs);
        const line = lines.shift();
        return line === undefined ? undefined : { parts: [line], bytes: line.length };
      },
      close: () => undefined,
    };
  }

  /**
   * Answers as qga does: the byte before a message resets its parser, and precedes the answer to
   * guest-sync-delimited.
   */
  #answer(bytes: Uint8Array): readonly Uint8Array[] {
    const text = new TextDecoder().decode(bytes[0] === 0xff ? bytes.subarray(1) : bytes);
    const { arguments: args, execute }: Asked = JSON.parse(text);
    if (execute === "guest-sync-delimited") {
      if (bytes[0] !== 0xff) throw new Error("the agent's parser was not reset");
      return [new Uint8Array([0xff, ...new TextEncoder().encode(JSON.stringify({ return: args?.id }))])];
    }
    this.asked.push(text);
    if (this.silent.has(execute)) return [];
    const none = { error: { class: "CommandNotFound", desc: `The command ${execute} has not been found` } };
    return [new TextEncoder().encode(JSON.stringify(this.answers?.get(execute) ?? none))];
  }
}
