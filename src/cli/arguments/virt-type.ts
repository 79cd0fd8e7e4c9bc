import { SvirtError } from "../../errors.ts";
import type { Call } from "../command.ts";

/** Returns the type of guests that an option names, if it is given. Throws "usage". */
export function readVirtType({ options }: Call, option: string): "kvm" | "qemu" | undefined {
  const type = options.get(option);
  if (type === undefined || type === "kvm" || type === "qemu") return type;
  throw new SvirtError(`unknown virttype: ${type}`, { kind: "usage", remedy: "Write kvm or qemu." });
}
