import { SvirtError } from "../../errors.ts";
import type { OpenedFile } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import type { SocketStep } from "../../plan/steps/socket.ts";
import type { Step, StepOf } from "../../plan/steps/step.ts";
import { getFileLabel } from "../labels/get-file-label.ts";
import { isStill } from "../labels/remembered-label.ts";
import type { Runs } from "./step-effects.ts";

/** Effects of the steps on paths of a guest's sockets. */
export const runSocket: Runs<SocketStep> = {
  "expect-socket": ({ host }, { path }) => refuseOccupied(host, path),
  "remove-socket": ({ host }, step) => removeSocket(host, step),
  "link-socket": ({ host }, step) => host.makeLinkWithin(step.folder, step),
  "unlink-socket": ({ host }, { path, target }) => host.removeLink(path, target),
};

/**
 * Throws "in-use" when the path of a socket is in use. Runs before the steps are recorded: from then on a
 * failure removes a socket without a label, even if its step did not run.
 */
export function refuseTakenPaths(host: Host, steps: readonly Step[]): void {
  for (const step of steps) if (step.do === "expect-socket") refuseOccupied(host, step.path);
}

/** Throws "in-use" when the path of a guest's socket has a file or another program's socket. */
function refuseOccupied(host: Host, path: string): void {
  const found = host.inspectFile(path);
  if (found === undefined) return;
  throw new SvirtError(`Cannot listen at ${path} for the guest: a ${found.type} exists there`, {
    kind: "in-use",
    remedy: "Remove it if no program uses it, or write another path.",
  });
}

/**
 * Returns the steps with the identity of each socket that has no label. Runs once svirt has created them. As
 * long as QEMU listens, no other file gets the socket's inode, even if its name is removed.
 */
export function addSocketIds(host: Host, steps: readonly Step[]): Step[] {
  return steps.map((step) => {
    if (step.do !== "expect-socket" || step.label !== undefined) return step;
    const found = host.inspectFile(step.path);
    // A symlink in place of the socket leads to a different socket.
    return found?.type === "socket" && found.id.path === step.path ? { ...step, file: found.id } : step;
  });
}

/**
 * Removes a guest's socket. A socket without the label, or in place of the guest's, belongs to another
 * program and stays. So does a socket elsewhere behind a symlink.
 */
function removeSocket(host: Host, socket: StepOf<"remove-socket">): void {
  const found = host.withInspected(socket.path, (now) =>
    isOwn(host, now, socket) ? now.facts.id : undefined,
  );
  if (found !== undefined) host.removeSame(found);
}

function isOwn(host: Host, now: OpenedFile, { file, label, path }: StepOf<"remove-socket">): boolean {
  if (now.facts.type !== "socket" || now.facts.id.path !== path) return false;
  if (label !== undefined) return getFileLabel(host, now.facts.id) === label;
  // A socket remembers no boot: on a device with another number, its inode and path decide.
  return file === undefined || (isStill(host, now, file) ?? true);
}
