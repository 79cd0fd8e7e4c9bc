import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import type { Actor } from "../../actor.ts";
import { findMountAt } from "../../mount-at.ts";

/** Mounts a file system that was opened before in its folder. Throws "denied", "host-call". */
export function mountPool({ host, mounts }: Actor, { folder, path }: StepOf<"mount-pool">): void {
  const id = folder ?? host.inspectFile(path)?.id;
  const opened = mounts?.get(path);
  if (id !== undefined && opened !== undefined) {
    opened.attach(id);
    return;
  }
  throw new SvirtError(`Cannot mount at ${path}: its file system or its folder is missing`, {
    kind: "failed",
    remedy: "Repeat the command.",
  });
}

/**
 * Unmounts a file system. A mount of another source is left alone. Throws "in-use", "timeout", "host-call",
 * "denied".
 */
export async function unmountPool(
  host: Host,
  { above, path, source }: StepOf<"unmount-pool">,
): Promise<void> {
  if (findMountAt(host, path)?.source === source) await host.unmount(above, path);
}
