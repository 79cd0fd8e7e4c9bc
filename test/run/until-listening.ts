import { readFileSync } from "node:fs";

/** That somebody listens there. __SO_ACCEPTCON, linux/net.h */
const LISTENING = "00010000";

/** Waits until a program listens on the socket: its name is there a moment before, and whoever connects then is refused. */
export async function untilListening(path: string): Promise<void> {
  const isThere = (): boolean =>
    readFileSync("/proc/net/unix", "latin1")
      .split("\n")
      .some((line) => line.endsWith(` ${path}`) && line.split(/ +/)[3] === LISTENING);
  while (!isThere()) await Bun.sleep(10);
}
