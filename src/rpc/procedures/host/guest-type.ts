import { SvirtError } from "../../../errors.ts";

/** Returns the client's type of guests, if any. Throws "usage". */
export function guestType(type: string | undefined): "kvm" | "qemu" | undefined {
  if (type === undefined || type === "kvm" || type === "qemu") return type;
  throw new SvirtError(`invalid argument: unknown virttype: ${type}`, {
    kind: "usage",
    remedy: "Name kvm or qemu, or none.",
  });
}
