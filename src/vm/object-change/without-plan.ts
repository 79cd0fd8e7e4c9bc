import { SvirtError } from "../../errors.ts";

/** Returns the refusal to print the steps of a storage object: those of a part are not steps yet. */
export function withoutPlan(what: string, part: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot print the steps of ${what}: those of ${part} are not steps yet`, {
    kind: "unsupported",
    from: "STORAGE",
    remedy,
  });
}
