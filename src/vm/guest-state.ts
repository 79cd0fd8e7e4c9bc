import { guestPaths } from "../plan/paths.ts";
import type { DomainState } from "../qemu/status.ts";
import { decideState } from "../qemu/status.ts";
import { converse } from "../run/converse.ts";
import type { Node } from "./node.ts";
import type { GuestRecord } from "./record.ts";

/** A monitor answers at once, unless another svirt talks to it just now. */
const ASK_TIMEOUT_MS = 2000;

/** How a running guest stands: QEMU is asked. One that does not answer in time runs, as far as the kernel knows. */
export async function getGuestState(node: Node, guest: GuestRecord): Promise<DomainState> {
  const asked = await askMonitor(node, guest);
  if (asked === undefined) return { state: "running", reason: "unknown" };
  if (asked !== "running") return decideState(asked);
  return { state: "running", reason: guest.unpaused === true ? "unpaused" : "booted" };
}

async function askMonitor(node: Node, guest: GuestRecord): Promise<string | undefined> {
  const { monitor } = guestPaths(node.paths, guest.uuid);
  try {
    const answer = await converse(node.host, { monitor, timeoutMs: ASK_TIMEOUT_MS }, (qemu) =>
      qemu.execute("query-status"),
    );
    return typeof answer === "object" && answer !== null && "status" in answer
      ? String(answer.status)
      : undefined;
  } catch {
    return undefined;
  }
}
