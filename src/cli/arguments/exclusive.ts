import { SvirtError } from "../../errors.ts";
import type { Call, Option } from "../command.ts";

/** Returns the one of these options that is given. Throws "usage" with virsh's message for two. */
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

/** Options for the state of a guest after it is restored. */
export const WAKING_OPTIONS: readonly Option[] = [
  { name: "running", summary: "it runs when it is restored, whatever it does now" },
  { name: "paused", summary: "it stays paused when it is restored, whatever it does now" },
];

/** Returns whether the guest runs after it is restored; undefined if its saved state decides. Throws "usage". */
export function wakesOf(call: Call): boolean | undefined {
  const asked = onlyOne(call, ["running", "paused"]);
  return asked === undefined ? undefined : asked === "running";
}
