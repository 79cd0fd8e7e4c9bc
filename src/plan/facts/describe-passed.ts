import type { PassedPeer } from "./launch-spec.ts";

/** Describes a connection to another program. */
export function describePeer({ context, socket }: Pick<PassedPeer, "context" | "socket">): string {
  return `a connection to ${socket.path} (${context ?? "svirt's own context"})`;
}

/** Formats the names of files passed to or released by QEMU as a list. */
export function listFiles(words: readonly string[]): string {
  return words.length === 0 ? "no file" : words.join(", ");
}
