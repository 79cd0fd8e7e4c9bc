import * as v from "valibot";
import type { Host } from "../../../host/host.ts";
import type { Monitor } from "../../../host/monitor.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import { withMonitorSocket } from "../../monitor/converse.ts";
import { CHANGE_TIMEOUT_MS } from "../../monitor/qmp-time-limits.ts";

/** Answer of `query-fdsets`. qemu.git qapi/misc.json FdsetInfo */
const sets = v.array(v.object({ "fdset-id": v.number(), fds: v.array(v.object({ fd: v.number() })) }));

/**
 * Passes QEMU each file again, opened with the new access, and has it reopen its nodes. Then the former
 * descriptors are removed, since their locks last as long as they are open. Throws "failed" with QEMU's
 * message.
 */
export async function setAccess(host: Host, step: StepOf<"set-access">): Promise<void> {
  await withMonitorSocket(host, { monitor: step.monitor, timeoutMs: CHANGE_TIMEOUT_MS }, async (monitor) => {
    const before = await listDescriptors(monitor, new Set(step.files.map(({ fd }) => fd)));
    for (const file of step.files) await monitor.handOver(file);
    await monitor.execute("blockdev-reopen", { options: step.nodes });
    for (const args of before) await monitor.execute("remove-fd", args);
  });
}

async function listDescriptors(
  monitor: Monitor,
  numbers: ReadonlySet<number>,
): Promise<{ readonly "fdset-id": number; readonly fd: number }[]> {
  const found = v.parse(sets, await monitor.execute("query-fdsets"));
  return found
    .filter((set) => numbers.has(set["fdset-id"]))
    .flatMap((set) => set.fds.map(({ fd }) => ({ "fdset-id": set["fdset-id"], fd })));
}
