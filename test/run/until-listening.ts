import { readFileSync } from "node:fs";

/** Flag of a listening socket. __SO_ACCEPTCON, linux/net.h */
const LISTENING = "00010000";

/**
 * Waits until a program listens on the socket. Its name appears a moment earlier, when connections are still
 * refused.
 */
export async function untilListening(path: string): Promise<void> {
  const isThere = (): boolean =>
    readFileSync("/proc/net/unix", "latin1")
      .split("\n")
      .some((line) => line.endsWith(` ${path}`) && line.split(/ +/)[3] === LISTENING);
  while (!isThere()) await Bun.sleep(10);
}
