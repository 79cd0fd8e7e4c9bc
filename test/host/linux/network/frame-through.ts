import { readSync, writeSync } from "node:fs";

/** EtherType for experiments, which no kernel answers. IEEE Std 802 local experimental EtherType 1 */
const EXPERIMENT = "88b5";
const ADDRESSES_BYTES = 12;
const TYPE_BYTES = 2;
const LEAST_PAYLOAD_BYTES = 46;

/**
 * Sends a frame into one tap, again and again, and returns its payload from another; undefined if none of
 * `most` arrives.
 */
export async function frameThrough(
  from: number,
  to: number,
  by: {
    readonly source: string;
    readonly destination: string;
    readonly headerBytes: number;
    readonly most?: number;
  },
): Promise<string | undefined> {
  const typeAt = by.headerBytes + ADDRESSES_BYTES;
  const payloadAt = typeAt + TYPE_BYTES;
  const frame = Buffer.concat([
    Buffer.alloc(by.headerBytes),
    Buffer.from(`${by.destination}${by.source}${EXPERIMENT}`, "hex"),
    Buffer.from("hello, neighbour".padEnd(LEAST_PAYLOAD_BYTES, "\0")),
  ]);
  const bytes = Buffer.alloc(2048);
  for (let tries = 0; tries < (by.most ?? 1000); tries += 1) {
    writeSync(from, frame);
    await Bun.sleep(10);
    try {
      for (;;) {
        const count = readSync(to, bytes);
        if (bytes.toString("hex", typeAt, payloadAt) === EXPERIMENT)
          return bytes.toString("utf8", payloadAt, count).replace(/\0+$/, "");
      }
    } catch {
      // No more frames have arrived yet.
    }
  }
  return undefined;
}
