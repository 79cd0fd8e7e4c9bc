import { HEED_QEMU, SvirtError } from "../../src/errors.ts";

/** Returns the error of a command that a QEMU in memory refuses. */
export function qmpError(description: string): SvirtError {
  return new SvirtError(`internal error: unable to execute QEMU command: ${description}`, {
    kind: "failed",
    remedy: HEED_QEMU,
  });
}
