/** Peer of a connection of Bun.listen(). */
export interface Client {
  write(bytes: string | Uint8Array): number;
}

/** Writes a text and then `more` repeatedly, however slowly the client reads. */
export function pour(client: Client, text: string, more = ""): void {
  const [first, others] = [Buffer.from(text), Buffer.from(more)];
  let left = first;
  const write = (): void => {
    left = left.subarray(client.write(left));
    if (left.length === 0) left = others;
    if (left.length > 0) setImmediate(write);
  };
  write();
}

/** Writes a text without end. */
export function flood(client: Client, text: string): void {
  const much = text.repeat(Math.ceil(65_536 / text.length));
  pour(client, much, much);
}
