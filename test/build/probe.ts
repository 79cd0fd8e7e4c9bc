// Built like svirt by hostile-folder.test.ts. Prints how its surroundings changed it.
import { dlopen } from "bun:ffi";
import { readdirSync, readlinkSync } from "node:fs";

await Bun.sleep(Number(process.env["SVIRT_PROBE_WAIT_MS"] ?? "0"));
const sockets = readdirSync("/proc/self/fd").filter(
  (fd) => Number(fd) > 2 && targetOf(fd).startsWith("socket:"),
);

process.stdout.write(
  `${JSON.stringify({
    probe: process.env["SVIRT_PROBE"],
    arguments: process.argv.slice(2),
    sockets: sockets.length,
    canSend: typeof process.send,
    ffi: canCallLibc(),
  })}\n`,
);

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

function canCallLibc(): boolean {
  try {
    return dlopen("libc.so.6", { getpid: { args: [], returns: "i32" } }).symbols.getpid() === process.pid;
  } catch {
    return false;
  }
}
