import { SvirtError } from "../../errors.ts";
import type { Call, Option } from "../command.ts";

/** Returns the given option among exclusive options. Throws "usage" with virsh's message for two. */
export function onlyOne<Name extends string>(
  { options }: Pick<Call, "options">,
  names: readonly Name[],
): Name | undefined {
  const [first, second] = names.filter((name) => options.has(name));
  if (second === undefined) return first;
  throw new SvirtError(`Options --${first} and --${second} are mutually exclusive`, {
    kind: "usage",
    remedy: "Remove one of the options.",
  });
}

/** Options for the state of a guest after it is restored. */
export const WAKING_OPTIONS: readonly Option[] = [
  { name: "running", summary: "run the guest after a restore, even if it is paused now" },
  { name: "paused", summary: "keep the guest paused after a restore, even if it runs now" },
];

/**
 * Returns whether the guest runs after it is restored; undefined if its saved state decides. Throws "usage".
 */
export function resumesOf(call: Call): boolean | undefined {
  const asked = onlyOne(call, ["running", "paused"]);
  return asked === undefined ? undefined : asked === "running";
}
