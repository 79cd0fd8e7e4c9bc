import { guestPaths } from "../../plan/paths.ts";
import { parseOpenPorts } from "../../qemu/monitor/open-ports.ts";
import { converse } from "../../run/monitor/converse.ts";
import type { Node } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";

/** How long another conversation with QEMU is waited for: what is asked is only shown besides. */
const TIMEOUT_MS = 2000;

/**
 * Which of a running guest's virtio channels it has open, by their ids. QEMU alone knows, and may say what it likes; one
 * without channels is not asked. Throws "timeout"; "failed" when it has ended or makes no sense.
 */
export async function askChannels(node: Node, guest: GuestRecord): Promise<ReadonlyMap<string, boolean>> {
  // The stored form, which svirt writes itself, tells: it is read whole but once, to be shown.
  if (!guest.xml.includes("<channel ")) return new Map();
  const { monitor } = guestPaths(node.paths, guest.uuid);
  const at = { monitor, timeoutMs: TIMEOUT_MS };
  return parseOpenPorts(await converse(node.host, at, (qemu) => qemu.execute("query-chardev")));
}
