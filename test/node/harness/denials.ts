import { node } from "./on-the-node.ts";

/**
 * Pattern of the kernel's log: enforced denials of svirt, a guest, a guest's peer connection, or the SSH
 * server.
 */
const DENIED = "avc: *denied .* scontext=[^ :]*:[^ :]*:\\(svirt_[a-z_]*\\|sshd_t\\):.* permissive=0";

/** Last line returned, of each node. */
const last = new Map<string, string>();

/** Returns the denials since the last call, as in the kernel's log, without times. */
export async function newDenials(name?: string): Promise<readonly string[]> {
  const text = await node(["ssh", `dmesg | grep '${DENIED}' || :`], "", name);
  const lines = text.split("\n").filter((line) => line !== "");
  // After a boot, or if the log has wrapped, the last line is missing, and all lines are new.
  const fresh = lines.slice(lines.lastIndexOf(last.get(name ?? "") ?? "") + 1);
  last.set(name ?? "", lines.at(-1) ?? "");
  return fresh.map((line) => line.replace(/^.*avc: +/, ""));
}
