import { SvirtError } from "../../errors.ts";

/** Returns the refusal to print the steps of `what`: the work on `part` of it has no steps yet. */
export function withoutPlan(what: string, part: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot print the steps of ${what}: those of ${part} are not steps yet`, {
    kind: "unsupported",
    from: "STORAGE",
    remedy,
  });
}
