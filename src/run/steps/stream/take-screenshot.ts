import type { Host } from "../../../host/host.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import { putFileLabel } from "../../labels/file-label.ts";
import { withMonitorSocket } from "../../monitor/converse.ts";
import { CHANGE_TIMEOUT_MS } from "../../monitor/qmp-time-limits.ts";
import { removeIfThere } from "../device.ts";
import { makeTarget } from "./guest-stream.ts";

/** More than any screen has: a compromised QEMU may have drawn anything. */
const MOST_BYTES = 256 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Writes the guest's screen to a file. QEMU cannot draw into a pipe (it empties the file first,
 * ftruncate(2)). So it draws into a file of its label in its own folder, which limits the size. Throws
 * "failed" with QEMU's message.
 */
export async function takeScreenshot(host: Host, step: StepOf<"take-screenshot">): Promise<void> {
  const { buffer, device, format, head, label, monitor: path, set } = step;
  const file = host.makeFile(buffer, 0o600);
  if (label !== undefined) putFileLabel(host, file, label);
  await withMonitorSocket(host, { monitor: path, timeoutMs: CHANGE_TIMEOUT_MS }, async (monitor) => {
    await monitor.handOver({ fd: set, file, access: "append", truncate: false, direct: false });
    const options = given({ format, device, head });
    await monitor.execute("screendump", { filename: `/dev/fdset/${set}`, ...options });
    await monitor.execute("remove-fd", { "fdset-id": set });
  });
  const drawn = Math.min(host.inspectFile(buffer)?.sizeBytes ?? 0, MOST_BYTES);
  const target = makeTarget(host, step);
  for (let at = 0; at < drawn; at += CHUNK_BYTES)
    host.writeBytes(target, at, host.readBytes(file, at, Math.min(CHUNK_BYTES, drawn - at)));
  host.removeFile(buffer);
}

/** Has QEMU close the buffer. A missing descriptor set is not an error. */
export async function dropScreen(host: Host, { monitor: path, set }: StepOf<"drop-screen">): Promise<void> {
  await withMonitorSocket(host, { monitor: path, timeoutMs: CHANGE_TIMEOUT_MS }, (monitor) =>
    removeIfThere(monitor, "remove-fd", { "fdset-id": set }),
  );
}

function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
