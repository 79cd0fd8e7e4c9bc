import { closeSync } from "node:fs";
import { SvirtError } from "../../errors.ts";
import type { LineChannel } from "../../host/channels.ts";
import type { FileFacts } from "../../host.ts";
import { withFile } from "./file-id.ts";
import { hostCallError } from "./libc.ts";
import { connectUnix } from "./listen.ts";
import { readSome, writeSome } from "./socket-bytes.ts";
import { poll } from "./terminal.ts";

/** asm-generic/poll.h */
const POLLIN = 1;
const POLLOUT = 4;
const NEWLINE = 0x0a;
const CHUNK_BYTES = 65_536;
/** A guest shall not fill svirt's memory. A file that an agent reads comes in 48 MiB at most. qemu.git qga/commands.c */
const LONGEST_LINE_BYTES = 128 * 1024 * 1024;
/** How long at most a signal waits for us. */
const LOOK_UP_MS = 100;
/** A QEMU that takes nothing for that long hangs. */
const SEND_TIMEOUT_MS = 5000;

/** Host.connectLines: to the very socket that was inspected. Throws "host-call", "denied". */
export function connectLines({ id }: FileFacts): LineChannel {
  const fd = withFile(id, connectUnix);
  let rest = new Uint8Array();
  return {
    send(bytes) {
      const deadline = performance.now() + SEND_TIMEOUT_MS;
      for (let at = 0; at < bytes.length; at += sendSome(fd, bytes.subarray(at), id.path)) {
        if (performance.now() > deadline) throw hangs(id.path);
        poll([{ fd, events: POLLOUT }], LOOK_UP_MS);
      }
    },
    async readLine(timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const end = rest.indexOf(NEWLINE);
        if (end !== -1) {
          const line = rest.slice(0, end);
          rest = rest.slice(end + 1);
          return line;
        }
        const leftMs = deadline - performance.now();
        if (leftMs <= 0) return undefined;
        const [found = 0] = poll([{ fd, events: POLLIN }], Math.ceil(Math.min(LOOK_UP_MS, leftMs)));
        if (found !== 0) rest = joined(rest, takeSome(fd, id.path), id.path);
        // Lets a signal be told.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    close: () => closeSync(fd),
  };
}

function sendSome(fd: number, bytes: Uint8Array, path: string): number {
  const { count, errno } = writeSome(fd, bytes);
  if (errno !== undefined) throw hostCallError(`write to ${path}`, errno);
  return count;
}

function takeSome(fd: number, path: string): Uint8Array {
  const chunk = readSome(fd, CHUNK_BYTES);
  if (chunk === "later") return new Uint8Array();
  if (chunk !== "ended") return chunk;
  throw new SvirtError(`Cannot read from ${path}: the guest has hung up`, {
    kind: "failed",
    remedy: "See how it stands: svirt list --all",
  });
}

function joined(rest: Uint8Array, more: Uint8Array, path: string): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(rest.length + more.length);
  whole.set(rest);
  whole.set(more, rest.length);
  if (whole.length <= LONGEST_LINE_BYTES) return whole;
  throw new SvirtError(`Cannot read from ${path}: a line has more than ${LONGEST_LINE_BYTES} bytes`, {
    kind: "failed",
    remedy: "Ask for less at once; what answers so is the guest's own program.",
  });
}

function hangs(path: string): SvirtError {
  return new SvirtError(`Cannot write to ${path}: nobody takes it`, {
    kind: "timeout",
    remedy: "QEMU may hang: see svirt audit.",
  });
}
