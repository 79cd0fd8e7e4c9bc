import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";

/** A setting or a count of the kernel's same-page merging (KSM), by libvirt's name. */
export interface SharingParameter {
  readonly name: string;
  readonly type: "uint" | "ullong";
  readonly value: number;
}

const KSM = "/sys/kernel/mm/ksm";
/** Files of the kernel, in libvirt's order. virHostMemGetParameters() of libvirt */
const FILES = [
  ["pages_to_scan", "uint"],
  ["sleep_millisecs", "uint"],
  ["pages_shared", "ullong"],
  ["pages_sharing", "ullong"],
  ["pages_unshared", "ullong"],
  ["pages_volatile", "ullong"],
  ["full_scans", "ullong"],
  ["merge_across_nodes", "uint"],
] as const;

/** Lists the parameters of the kernel's same-page merging. Throws "unsupported" for a kernel without it. */
export function getSharingParameters({ host }: Instance): readonly SharingParameter[] {
  const found = FILES.flatMap(([file, type]) => {
    const value = host.readText(`${KSM}/${file}`);
    return value === undefined ? [] : [{ name: `shm_${file}`, type, value: Number(value.trim()) }];
  });
  if (found.length > 0) return found;
  throw new SvirtError("Operation not supported: the kernel does not merge equal pages", {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Use a kernel with CONFIG_KSM.",
  });
}
