import { useOfCommand } from "../access/command-uses.ts";
import type { Key } from "../access/key.ts";
import { mayUse, type Use, weakestKey } from "../access/uses.ts";
import { SvirtError } from "../errors.ts";
import { isList, parseArguments } from "./arguments/parse-arguments.ts";
import type { CommandSpec } from "./command.ts";

/** Throws "denied" if a key may not call a command with these arguments. */
export function checkAccess(spec: CommandSpec, words: readonly string[], key: Key): void {
  const use = useOfCommand(spec.name);
  if (typeof use === "string") {
    refuseUse({ key, use, what: `run svirt ${spec.name}` });
    return;
  }
  const other = listGiven(spec, words).find((given) => !isAmong(given, use.with));
  if (other === undefined) refuseUse({ key, use: use.shows, what: `run svirt ${spec.name}` });
  else refuseUse({ key, use: use.otherwise, what: `run svirt ${spec.name} with ${other[0]}` });
}

/** Throws "denied" if a key may not do a use. */
export function refuseUse({
  key,
  use,
  what,
}: {
  readonly key: Key;
  readonly use: Use;
  readonly what: string;
}): void {
  if (mayUse(key, use)) return;
  const [why, remedy] =
    weakestKey(use) === "full"
      ? ["it requires a key with a shell", "Use a key with a shell."]
      : ["this key is read-only", "Use a key without --read-only."];
  throw new SvirtError(`Cannot ${what}: ${why}`, { kind: "denied", libvirt: "OPERATION_DENIED", remedy });
}

type Given = readonly [name: string, value: string];

/** Lists the given operands and options. */
function listGiven(spec: CommandSpec, words: readonly string[]): readonly Given[] {
  const { operands, options, rest } = parseArguments(spec, words);
  const lists = rest.length === 0 ? [] : spec.operands.filter(isList);
  const all = [...operands, ...options, ...lists.map(({ name }) => [name, ""] as const)];
  return all.filter(([name]) => name !== "help");
}

/** Whether a list of UseByArguments has an operand or option with that value. */
function isAmong([name, value]: Given, listed: readonly string[]): boolean {
  if (listed.includes(`${name}=NAME`) && value !== "-" && !value.includes("/")) return true;
  return listed.includes(name) || listed.includes(`${name}=${value}`);
}
