import { HEED_QEMU, SvirtError } from "../../src/errors.ts";

/** What a QEMU in memory says when it does not do something. */
export function qmpError(description: string): SvirtError {
  return new SvirtError(`internal error: unable to execute QEMU command: ${description}`, {
    kind: "failed",
    remedy: HEED_QEMU,
  });
}
