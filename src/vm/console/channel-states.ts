import { guestPaths } from "../../plan/paths.ts";
import { parseOpenPorts } from "../../qemu/monitor/open-ports.ts";
import { withMonitorSocket } from "../../run/monitor/converse.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";

/** Time limit for another conversation with QEMU to end: the state of channels is only additional output. */
const TIMEOUT_MS = 2000;

/**
 * Returns which of its virtio channels a running guest has open, by their ids. Only QEMU knows, and it may
 * lie. A guest without channels is not queried. Throws "timeout"; "failed" if QEMU has ended or its answer is
 * malformed.
 */
export async function askChannels(
  instance: Instance,
  guest: GuestRecord,
): Promise<ReadonlyMap<string, boolean>> {
  // The stored form, which svirt writes itself, is searched as text: it is parsed only once, for display.
  if (!guest.xml.includes("<channel ")) return new Map();
  const { monitor } = guestPaths(instance.paths, guest.uuid);
  const at = { monitor, timeoutMs: TIMEOUT_MS };
  return parseOpenPorts(await withMonitorSocket(instance.host, at, (qemu) => qemu.execute("query-chardev")));
}
