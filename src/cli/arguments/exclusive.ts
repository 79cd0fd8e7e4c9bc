import { SvirtError } from "../../errors.ts";
import type { Call, Option } from "../command.ts";

/** Of those of them that are given, the only one. Throws "usage" in virsh's words for two. */
export function onlyOne<Name extends string>(
  { options }: Pick<Call, "options">,
  names: readonly Name[],
): Name | undefined {
  const [first, second] = names.filter((name) => options.has(name));
  if (second === undefined) return first;
  throw new SvirtError(`Options --${first} and --${second} are mutually exclusive`, {
    kind: "usage",
    remedy: "Leave one of them out.",
  });
}

/** How a guest is when it comes back. */
export const WAKING_OPTIONS: readonly Option[] = [
  { name: "running", summary: "it runs when it is restored, whatever it does now" },
  { name: "paused", summary: "it stays paused when it is restored, whatever it does now" },
];

/** Whether the guest is to run; undefined: as it did. Throws "usage". */
export function wakesOf(call: Call): boolean | undefined {
  const asked = onlyOne(call, ["running", "paused"]);
  return asked === undefined ? undefined : asked === "running";
}
