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

/** Removes a guest's socket. One that lacks the guest's label, if there is one, is another program's and stays. */
export function removeSocket(host: Host, socket: { readonly path: string; readonly label?: string }): void {
  const found = host.inspectFile(socket.path);
  if (found?.type !== "socket") return;
  if (socket.label === undefined || getFileLabel(host, found.id) === socket.label)
    host.removeFile(socket.path);
}
