import { readdirSync, readFileSync } from "node:fs";
import { binaryOf, POLICY_SOURCE, type Policy, readPolicy } from "./built-policy.ts";
import { buildWith, formatSwitches, readWith } from "./changed-policy.ts";
import { allowsIn, attributesIn, withoutAllows } from "./cil.ts";
import { type OurRight, rightsIn } from "./needed.ts";

/** Text of each module of svirt. */
const MODULES: ReadonlyMap<string, string> = new Map(
  readdirSync(POLICY_SOURCE)
    .filter((name) => name.endsWith(".cil"))
    .map((name) => [name, readFileSync(`${POLICY_SOURCE}/${name}`, "utf8")]),
);

/** Rights that svirt's modules allow. */
export const OUR_RIGHTS: readonly OurRight[] = [...MODULES.values()].flatMap((text) =>
  rightsIn(allowsIn(text)),
);

/**
 * Returns Debian's policy with svirt's types and restrictions, without svirt's allow rules. Takes half a
 * minute.
 */
export function readBarePolicy(folder: string): Policy {
  const built = readPolicy(binaryOf(folder));
  const { attributes, ...policy } = readWith(folder, bareModules());
  return withOurAttributes({ ...policy, attributes: new Map([...built.attributes, ...attributes]) });
}

/**
 * Builds the policy with a boolean for each right: switchOf() its index in OUR_RIGHTS. The right with the
 * index `without` is disabled. The result is that of buildWith().
 */
export function buildSwitchable(folder: string, without?: number): string {
  const switches = formatSwitches(OUR_RIGHTS, without);
  return buildWith(folder, new Map([...bareModules(), ["svirt-switches.cil", switches]]));
}

function bareModules(): ReadonlyMap<string, string> {
  return new Map([...MODULES].map(([name, text]) => [name, withoutAllows(text)]));
}

function withOurAttributes(policy: Policy): Policy {
  const ours = [...attributesIn([...MODULES.values()].join("\n"))];
  const plain = ours.filter(([name]) => !policy.attributes.has(name) && name.startsWith("svirt_"));
  const filled = plain.map(([name, members]): [string, ReadonlySet<string>] => [
    name,
    new Set([...members].flatMap((member) => [...(policy.attributes.get(member) ?? [member])])),
  ]);
  return { ...policy, attributes: new Map([...policy.attributes, ...filled]) };
}
