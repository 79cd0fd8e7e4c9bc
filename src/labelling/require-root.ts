import { SvirtError } from "../errors.ts";
import type { Instance } from "../state/instance.ts";

/** Returns whether the caller is root. */
export function isRoot({ host }: Instance): boolean {
  return host.getUid() === 0;
}

/** Returns the error for an ordinary user who sets a label. */
export function onlyRoot(path: string): SvirtError {
  return new SvirtError(`Cannot label ${path}: only root can reserve the file during the change`, {
    kind: "denied",
    remedy: "Run svirt as root.",
  });
}
