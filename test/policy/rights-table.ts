import { createHash } from "node:crypto";
import type { Policy } from "./built-policy.ts";
import { compare, isNumbered, isOf, membersOf } from "./names.ts";
import { type RightsOf, rightsOf, waysInto } from "./rights.ts";

const HEAD = `# What guests' domains and svirt's own may do in the policy that is built for the node, after every deny rule.
# Written by "bun scripts/policy-rights.ts"; test/policy/rights.test.ts compares it with the policy.
# A line: target, class { permissions }, and the boolean that it depends on. Several domains: each of them.
# swtpm and virtiofsd have no domain of their own: they run in their guest's.
`;
/** Most members to list. A larger attribute is Debian's, and the table has only its size and a digest. */
const LISTED = 60;
const MANAGER = "svirt_manager_t";
const GUESTS = "svirt_guest";
/** Domain of connections that svirt makes for guests. */
const PEER = "svirt_peer_t";

/** Formats the table of test/policy/rights.txt. */
export function formatRightsTable(policy: Policy): string {
  const guests = membersOf(policy, GUESTS).toSorted(compare);
  const may = [[...guests], [MANAGER], [PEER]].flatMap((domains) => rightsOf(policy, domains));
  const ways = ([...guests, MANAGER] as const).map((domain) => ({
    domain,
    lines: waysInto(policy, [domain]),
  }));
  const into = [...Map.groupBy(ways, ({ lines }) => lines.join("\n"))].map(([lines, same]) => ({
    domains: same.map(({ domain }) => domain),
    lines: lines.split("\n"),
  }));
  return [
    HEAD,
    ...may.map(({ domains, lines }) => section(`${domains.join(" ")} may`, lines)),
    section("of which ioctls that consists", extendedRules(policy, [...guests, MANAGER])),
    ...into.map(({ domains, lines }) => section(`who may become or take over ${domains.join(" ")}`, lines)),
    section(
      "their attributes",
      [...guests, MANAGER].map((domain) => formatMembership(policy, domain)),
    ),
    section("attributes named above", attributesIn(policy, may)),
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string {
  return `== ${title}\n${lines.join("\n")}\n`;
}

function extendedRules(policy: Policy, domains: readonly string[]): readonly string[] {
  return policy.extended
    .filter((line) => domains.some((domain) => isOf(policy, line.split(" ")[1] ?? "", domain)))
    .toSorted(compare);
}

/** Formats the attributes of a domain: constraints and Debian's rules refer to them. */
function formatMembership(policy: Policy, domain: string): string {
  const own = [...policy.attributes].filter(([name, members]) => !isNumbered(name) && members.has(domain));
  return `${domain}: ${own
    .map(([name]) => name)
    .toSorted(compare)
    .join(" ")}`;
}

function attributesIn(policy: Policy, rights: readonly RightsOf[]): readonly string[] {
  const names = rights.flatMap(({ lines }) => lines.map((line) => line.replace(/(?:-but-| ).*/, "")));
  return [...new Set(names)]
    .filter((name) => policy.attributes.has(name))
    .toSorted(compare)
    .map((name) => `${name} = ${formatMembers(membersOf(policy, name).toSorted(compare))}`);
}

function formatMembers(members: readonly string[]): string {
  if (members.length <= LISTED) return `{ ${members.join(" ")} }`;
  const digest = createHash("sha256").update(members.join(" ")).digest("hex").slice(0, 12);
  return `${members.length} types, sha256 ${digest}`;
}
