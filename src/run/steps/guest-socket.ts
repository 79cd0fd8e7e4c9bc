import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { getFileLabel } from "../labels/file-label.ts";

/** Throws "label-taken" when the path of a guest's socket has a file or another program's socket. */
export function refuseTaken(host: Host, path: string): void {
  const found = host.inspectFile(path);
  if (found === undefined) return;
  throw new SvirtError(`Cannot listen at ${path} for the guest: a ${found.type} is there`, {
    kind: "label-taken",
    remedy: "Remove it if no program uses it, or write another path.",
  });
}

/** Removes a guest's socket. Another program's socket in its place stays: it lacks the guest's label. */
export function removeSocket(host: Host, socket: { readonly path: string; readonly label?: string }): void {
  const found = host.inspectFile(socket.path);
  if (found?.type !== "socket") return;
  if (socket.label === undefined || getFileLabel(host, found.id) === socket.label)
    host.removeFile(socket.path);
}
