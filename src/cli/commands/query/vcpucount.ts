import { parseDomainText } from "../../../domain/document.ts";
import { SvirtError } from "../../../errors.ts";
import { decideImpact } from "../../../vm/change/impact.ts";
import { type FoundDomain, findDomain } from "../../../vm/guest/find-domain.ts";
import { countVcpus } from "../../../vm/query/vcpu-info.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt vcpucount DOMAIN` */
export const command: Command = {
  spec: {
    name: "vcpucount",
    summary: "show the number of a domain's virtual CPUs, maximum and current",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "maximum", summary: "only the maximum" },
      { name: "active", summary: "only the current number" },
      { name: "live", summary: "only the running guest's" },
      { name: "config", summary: "only the definition's" },
      { name: "current", summary: "only the guest's if it runs, else the definition's" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const found = findDomain(call.node, operand(call, "domain"));
    const wanted = ["maximum", "active", "live", "config", "current"].filter((name) =>
      call.options.has(name),
    );
    if (wanted.length > 0) {
      call.output.print(`${await countOne(call, found)}\n\n`);
      return undefined;
    }
    const counts = await listCounts(call, found);
    if (call.options.has("json")) printJson(call, counts);
    else call.output.print(`${counts.map(formatCount).join("")}\n`);
    return undefined;
  },
};

interface Count {
  readonly what: "maximum" | "current";
  readonly of: "config" | "live";
  readonly count: number;
}

async function listCounts(call: Call, { definition, guest }: FoundDomain): Promise<readonly Count[]> {
  const config = definition === undefined ? undefined : countsIn(definition.xml);
  const live =
    guest === undefined ? undefined : { ...countsIn(guest.xml), current: await countVcpus(call.node, guest) };
  return (["maximum", "current"] as const).flatMap((what) => [
    ...(config === undefined ? [] : [{ what, of: "config", count: config[what] } as const]),
    ...(live === undefined ? [] : [{ what, of: "live", count: live[what] } as const]),
  ]);
}

function countsIn(xml: string): { readonly maximum: number; readonly current: number } {
  const { count = 1, current = count } = parseDomainText(xml).vcpu ?? {};
  return { maximum: count, current };
}

function formatCount({ count, of, what }: Count): string {
  return `${what.padEnd(12)} ${of.padEnd(12)} ${String(count).padStart(3)}\n`;
}

/** Returns one number of one state, which virsh prints for scripts. */
async function countOne(call: Call, found: FoundDomain): Promise<number> {
  const { options } = call;
  for (const [one, other] of [
    ["maximum", "active"],
    ["live", "config"],
  ] as const) {
    if (!options.has(one) || !options.has(other)) continue;
    throw new SvirtError(`Options --${one} and --${other} are mutually exclusive`, {
      kind: "usage",
      remedy: "Leave one of them out.",
    });
  }
  const wish = { live: options.has("live"), config: options.has("config"), current: options.has("current") };
  const { guest } = decideImpact(found, wish);
  const what = options.has("maximum") ? "maximum" : "current";
  const of = guest === undefined ? "config" : "live";
  return (await listCounts(call, found)).find((one) => one.what === what && one.of === of)?.count ?? 0;
}
