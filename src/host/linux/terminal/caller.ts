import type { ByteStream } from "../../channels.ts";
import { shareLoop } from "../calls/ready.ts";

/**
 * Implements Host.openCaller by bun's streams, so that neither a silent nor a slow client delays svirt's other work, nor a silent
 * guest the client. They cost a connection no thread. Sets standard output to non-blocking, for all that share it.
 */
export function openCaller(): ByteStream {
  shareLoop();
  const output = Bun.stdout.writer();
  let isGone = false;
  return {
    read: readCaller,
    async write(bytes) {
      if (isGone) return;
      try {
        // Either may be a promise that fails.
        await Promise.all([output.write(bytes), output.flush()]);
      } catch (error) {
        if (!isEnd(error)) throw await failure("write to standard output", error);
        isGone = true;
      }
    },
  };
}

async function* readCaller(): AsyncGenerator<Uint8Array> {
  try {
    yield* Bun.stdin.stream();
  } catch (error) {
    if (!isEnd(error)) throw await failure("read standard input", error);
  }
}

function isEnd(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EPIPE" || error.code === "ECONNRESET");
}

/** Returns the error of a call. Loaded here: node:fs is most of the cost of a short connection. */
async function failure(what: string, error: unknown): Promise<Error> {
  return (await import("../files/files.ts")).failedCall(what, error);
}
