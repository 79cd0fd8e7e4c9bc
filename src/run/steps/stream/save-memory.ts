import * as v from "valibot";
import { SEE_QEMU_LOG, SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { Monitor } from "../../../host/monitor.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import { formatSaveHead, formatWholeMark } from "../../../qemu/files/save-image.ts";
import type { Progress } from "../../actor.ts";
import { withMonitorSocket } from "../../monitor/converse.ts";
import { CHANGE_TIMEOUT_MS } from "../../monitor/qmp-time-limits.ts";
import { makeTarget, PIPE_URI, streamIn, streamOut } from "./guest-stream.ts";

/** No speed limit: QEMU's default is 128 MiB per second. */
const UNLIMITED_BYTES_PER_S = Number.MAX_SAFE_INTEGER;
const POLL_MS = 20;
/** Longer than QEMU takes to stop writing into a pipe. It bounds the wait for a compromised QEMU. */
const CANCEL_TIMEOUT_MS = 10_000;

/** qemu.git qapi/migration.json MigrationInfo */
const migration = v.object({
  status: v.optional(v.string(), "none"),
  ram: v.optional(v.object({ total: v.number(), remaining: v.number() })),
  "error-desc": v.optional(v.string()),
});
type Migration = v.InferOutput<typeof migration>;

/**
 * Writes the guest's state to a file. Throws "failed" with QEMU's message, and "host-call" when the file
 * cannot be written.
 */
export async function saveMemory(
  host: Host,
  step: StepOf<"save-memory">,
  onProgress: Progress | undefined,
): Promise<void> {
  const file = makeTarget(host, step);
  const head = step.head === undefined ? new Uint8Array() : formatSaveHead(step.head);
  if (head.length > 0) host.writeBytes(file, 0, head);
  await streamOut(host, step, {
    file,
    at: head.length,
    async tell(monitor) {
      await monitor.execute("migrate-set-parameters", { "max-bandwidth": UNLIMITED_BYTES_PER_S });
      await monitor.execute("migrate", { uri: PIPE_URI });
      await waitForEnd(host, monitor, { what: "domain save job", onProgress });
    },
  });
  if (head.length > 0) host.writeBytes(file, 0, formatWholeMark());
}

/**
 * Cancels QEMU's writing and waits until it has stopped. Without a save it does nothing. Throws "timeout".
 */
export async function cancelSave(host: Host, step: StepOf<"cancel-save">): Promise<void> {
  await withMonitorSocket(host, { monitor: step.monitor, timeoutMs: CHANGE_TIMEOUT_MS }, async (monitor) => {
    await monitor.execute("migrate_cancel");
    const deadline = host.nowMs() + CANCEL_TIMEOUT_MS;
    while (isUnderWay(await ask(monitor))) {
      if (host.nowMs() >= deadline) throw writesOn();
      await host.sleep(POLL_MS);
    }
  });
}

function writesOn(): SvirtError {
  return new SvirtError("Cannot cancel the save: QEMU reports that it continues", {
    kind: "timeout",
    remedy: "End that guest, which may be compromised; svirt audit shows more.",
  });
}

/**
 * Loads a guest's state from a file. Throws "failed" with QEMU's message; a QEMU that ends has the reason in
 * its log.
 */
export async function loadMemory(host: Host, step: StepOf<"load-memory">): Promise<void> {
  await streamIn(host, step, {
    file: step.from,
    at: step.at,
    async tell(monitor) {
      await monitor.execute("migrate-incoming", { uri: PIPE_URI });
      await waitForEnd(host, monitor, { what: "domain restore job", onProgress: undefined });
    },
  });
}

async function waitForEnd(
  host: Host,
  monitor: Monitor,
  { onProgress, what }: { readonly what: string; readonly onProgress: Progress | undefined },
): Promise<void> {
  for (;;) {
    const now = await ask(monitor);
    const tell = (): void => {
      if (now.ram !== undefined) onProgress?.(now.ram.total - now.ram.remaining, now.ram.total);
    };
    if (now.status === "completed") return tell();
    if (!isUnderWay(now)) {
      const why =
        now["error-desc"] ?? (now.status === "cancelled" ? "canceled by client" : "unexpectedly failed");
      throw new SvirtError(`operation failed: ${what}: ${why}`, {
        kind: "failed",
        libvirt: "OPERATION_FAILED",
        remedy: SEE_QEMU_LOG,
      });
    }
    tell();
    await host.sleep(POLL_MS);
  }
}

async function ask(monitor: Monitor): Promise<Migration> {
  return v.parse(migration, await monitor.execute("query-migrate"));
}

function isUnderWay({ status }: Migration): boolean {
  return !["none", "completed", "failed", "cancelled"].includes(status);
}
