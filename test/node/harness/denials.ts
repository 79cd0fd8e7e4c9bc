import { node } from "./on-the-node.ts";

/** In the kernel's log: what svirt, a guest, the connection of one, or the SSH server was denied, and not only would be. */
const DENIED = "avc: *denied .* scontext=[^ :]*:[^ :]*:\\(svirt_[a-z_]*\\|sshd_t\\):.* permissive=0";

/** The last line that was given, of each node. */
const last = new Map<string, string>();

/** What these were denied since the last call, as the kernel's log has it; without its time. */
export async function newDenials(name?: string): Promise<readonly string[]> {
  const text = await node(["ssh", `dmesg | grep '${DENIED}' || :`], "", name);
  const lines = text.split("\n").filter((line) => line !== "");
  // After a boot, or once the log has gone round, it is not there, and all are new.
  const fresh = lines.slice(lines.lastIndexOf(last.get(name ?? "") ?? "") + 1);
  last.set(name ?? "", lines.at(-1) ?? "");
  return fresh.map((line) => line.replace(/^.*avc: +/, ""));
}
