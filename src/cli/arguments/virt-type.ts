import { SvirtError } from "../../errors.ts";
import type { Call } from "../command.ts";

/** Returns the type of guests that an option names; by default the faster one that the host has. Throws "usage". */
export function readVirtType({ instance, options }: Call, option: string): "kvm" | "qemu" {
  const type = options.get(option);
  if (type === undefined) return instance.host.inspectFile("/dev/kvm")?.type === "character" ? "kvm" : "qemu";
  if (type === "kvm" || type === "qemu") return type;
  throw new SvirtError(`unknown virttype: ${type}`, { kind: "usage", remedy: "Write kvm or qemu." });
}
