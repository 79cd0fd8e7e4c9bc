import * as v from "valibot";
import { SEE_QEMU_LOG, SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import type { Progress } from "../../actor.ts";
import { makeTarget, PIPE_URI, streamOut } from "./guest-stream.ts";

const POLL_MS = 20;

/** qemu.git qapi/dump.json DumpQueryResult */
const dump = v.object({
  status: v.picklist(["none", "active", "completed", "failed"]),
  completed: v.number(),
  total: v.number(),
});

/**
 * Writes only the guest's memory, in QEMU's format. QEMU stops the vCPUs during the dump, and resumes them
 * even if the reader has closed its end. Throws "failed" with QEMU's message.
 */
export async function dumpMemory(
  host: Host,
  step: StepOf<"dump-memory">,
  onProgress: Progress | undefined,
): Promise<void> {
  const file = makeTarget(host, step);
  await streamOut(host, step, {
    file,
    at: 0,
    async tell(monitor) {
      const options = { paging: false, protocol: PIPE_URI, detach: true, format: step.format };
      await monitor.execute("dump-guest-memory", options);
      for (;;) {
        const { completed, status, total } = v.parse(dump, await monitor.execute("query-dump"));
        if (status !== "active" && status !== "completed") throw failed();
        onProgress?.(completed, total);
        if (status === "completed") return;
        await host.sleep(POLL_MS);
      }
    },
  });
}

function failed(): SvirtError {
  return new SvirtError("operation failed: memory-only dump job: unexpectedly failed", {
    kind: "failed",
    libvirt: "OPERATION_FAILED",
    remedy: SEE_QEMU_LOG,
  });
}
