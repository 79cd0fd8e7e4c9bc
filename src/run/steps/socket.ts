import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { SocketStep } from "../../plan/steps/socket.ts";
import type { Step } from "../../plan/steps/step.ts";
import { getFileLabel } from "../labels/file-label.ts";
import type { Runs } from "./runs.ts";

/** Effects of the steps on paths of a guest's sockets. */
export const runSocket: Runs<SocketStep> = {
  "expect-socket": ({ host }, { path }) => refuseOccupied(host, path),
  "remove-socket": ({ host }, step) => removeSocket(host, step),
  "link-socket": ({ host }, step) => host.makeLinkWithin(step.folder, step),
  "unlink-socket": ({ host }, { path, target }) => host.removeLink(path, target),
};

/**
 * Throws "in-use" when the path of one of these sockets is in use. Runs before the steps are recorded: from then on a
 * failure removes a socket without a label, even if its step did not run.
 */
export function refuseTakenPaths(host: Host, steps: readonly Step[]): void {
  for (const step of steps) if (step.do === "expect-socket") refuseOccupied(host, step.path);
}

/** Throws "in-use" when the path of a guest's socket has a file or another program's socket. */
function refuseOccupied(host: Host, path: string): void {
  const found = host.inspectFile(path);
  if (found === undefined) return;
  throw new SvirtError(`Cannot listen at ${path} for the guest: a ${found.type} is there`, {
    kind: "in-use",
    remedy: "Remove it if no program uses it, or write another path.",
  });
}

/** Removes a guest's socket. One that lacks the guest's label, if there is one, is another program's and stays. */
function removeSocket(host: Host, socket: { readonly path: string; readonly label?: string }): void {
  const found = host.inspectFile(socket.path);
  if (found?.type !== "socket") return;
  if (socket.label === undefined || getFileLabel(host, found.id) === socket.label)
    host.removeFile(socket.path);
}
