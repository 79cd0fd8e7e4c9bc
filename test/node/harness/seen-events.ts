/** Time for an event to arrive. */
const EVENT_MS = 60_000;

/** Output of `virsh event` as it arrives. */
export class SeenEvents {
  #text = "";

  constructor(output: ReadableStream<Uint8Array>) {
    void this.#read(output);
  }

  async #read(output: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of output) this.#text += decoder.decode(chunk, { stream: true });
  }

  /** Returns the events of a domain. The last line may not be complete yet. */
  of(name: string): string[] {
    const start = `event 'lifecycle' for domain '${name}': `;
    return this.#text
      .split("\n")
      .slice(0, -1)
      .flatMap((line) => (line.startsWith(start) ? [line.slice(start.length)] : []));
  }

  /** Returns whether so many events of a domain arrive in time. */
  async has(name: string, count: number, withinMs = EVENT_MS): Promise<boolean> {
    return await this.until(() => this.of(name).length >= count, withinMs);
  }

  /** Returns whether that is so in time. */
  async until(isSo: () => boolean, withinMs = EVENT_MS): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (!isSo()) {
      if (performance.now() > deadline) return false;
      await Bun.sleep(100);
    }
    return true;
  }
}
