import { asSvirtError } from "../../../errors.ts";
import { listDefinitionNames } from "../../../state/definitions.ts";
import { type FoundDomain, findDomain } from "../../../vm/guest/find-domain.ts";
import { getGuestState } from "../../../vm/query/guest-state.ts";
import { GROUPS, type Group, listStatistics } from "../../../vm/query/statistics/list.ts";
import type { Entry } from "../../../vm/query/statistics/subject.ts";
import { type Call, type Command, JSON_OPTION, type Option, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

const GROUP_SUMMARIES: Readonly<Record<Group, string>> = {
  state: "the state, as libvirt's numbers",
  "cpu-total": "processor time, in nanoseconds",
  balloon: "memory, in KiB",
  vcpu: "each virtual CPU",
  interface: "network interfaces",
  block: "disks",
  perf: "processor events; svirt has none",
  iothread: "I/O threads",
  memory: "memory bandwidth; svirt has none",
  dirtyrate: "rate of dirtied memory, by the last measurement",
  vm: "KVM's counters of the virtual machine",
};

const FILTERS: readonly Option[] = [
  { name: "list-active", summary: "only running and paused domains" },
  { name: "list-inactive", summary: "only domains that are off" },
  { name: "list-persistent", summary: "only defined domains" },
  { name: "list-transient", summary: "only domains without a definition" },
  { name: "list-running", summary: "only domains whose vCPUs run" },
  { name: "list-paused", summary: "only paused domains" },
  { name: "list-shutoff", summary: "only domains that are off" },
  { name: "list-other", summary: "only domains in another state" },
];

/** `svirt domstats [DOMAIN...]` */
export const command: Command = {
  spec: {
    name: "domstats",
    summary: "print the statistics of domains, by libvirt's keys",
    details:
      "Prints all groups of all domains, unless options name groups, or domains are named or filtered. All QEMUs are\n" +
      "asked at once. A guest that does not answer within 5 s has no statistics: standard error has a warning and,\n" +
      "with --json, its field error has the reason.",
    recovery: "all",
    operands: [
      { name: "domain", summary: "names, ids or uuids of domains", isOptional: true, isRepeated: true },
    ],
    options: [
      ...groupNames().map((name) => ({ name, summary: GROUP_SUMMARIES[name] })),
      ...FILTERS,
      { name: "raw", summary: "print raw values; svirt always does" },
      { name: "enforce", summary: "fail for an unsupported group; svirt supports all" },
      { name: "backing", summary: "also print the backing images of disks" },
      { name: "nowait", summary: "do not wait for another command's job; svirt never does" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const named = groupNames().filter((name) => call.options.has(name));
    const groups = named.length === 0 ? groupNames() : named;
    const wanted = await listWanted(call);
    const records = await Promise.all(
      wanted.map(async (found) => ({ name: found.name, ...(await gather(call, found, groups)) })),
    );
    if (call.options.has("json")) {
      printJson(
        call,
        records.map(({ entries, error, name }) => ({ name, stats: Object.fromEntries(entries), error })),
      );
    } else {
      call.output.print(`${records.map(formatRecord).join("\n")}\n`);
    }
    return undefined;
  },
};

interface Gathered {
  readonly entries: readonly Entry[];
  /** Reason for which there are no entries. */
  readonly error?: string;
}

interface DomainRecord extends Gathered {
  readonly name: string;
}

function groupNames(): readonly Group[] {
  return Object.keys(GROUPS) as Group[];
}

function formatRecord({ entries, name }: DomainRecord): string {
  return [`Domain: '${name}'`, ...entries.map(([key, value]) => `  ${key}=${value}`), ""].join("\n");
}

/** Collects the statistics of a domain. A guest that does not answer does not hide the others. */
async function gather(call: Call, found: FoundDomain, groups: readonly Group[]): Promise<Gathered> {
  try {
    const entries = await listStatistics(call.node, found, { groups, backing: call.options.has("backing") });
    return { entries };
  } catch (error) {
    if (call.rest.length === 1) throw error;
    const { message } = asSvirtError(error);
    call.output.warn(`warning: ${oneLine(`domain '${found.name}': ${message}`)}\n`);
    return { entries: [], error: message };
  }
}

async function listWanted(call: Call): Promise<readonly FoundDomain[]> {
  const { node, options, rest } = call;
  const all = rest.length > 0 ? rest.map((key) => findDomain(node, key)) : listAll(call);
  const asked = FILTERS.map(({ name }) => name).filter((name) => options.has(name));
  if (asked.length === 0) return all;
  const known = await Promise.all(all.map(async (found) => ({ found, is: await describe(call, found) })));
  // As in libvirt, one filter of each kind must match.
  const isKept = (is: ReadonlySet<string>): boolean =>
    KINDS.every((kind) => {
      const kindWanted = kind.filter((name) => asked.includes(name));
      return kindWanted.length === 0 || kindWanted.some((name) => is.has(name));
    });
  return known.filter(({ is }) => isKept(is)).map(({ found }) => found);
}

const KINDS = [
  ["list-active", "list-inactive"],
  ["list-persistent", "list-transient"],
  ["list-running", "list-paused", "list-shutoff", "list-other"],
] as const;

function listAll({ node, running }: Call): readonly FoundDomain[] {
  const names = new Set(running.map(({ name }) => name));
  const off = listDefinitionNames(node).filter((name) => !names.has(name));
  return [...running.map(({ uuid }) => uuid), ...off].map((key) => findDomain(node, key));
}

/** Returns the filters that a domain matches. */
async function describe(
  { node }: Call,
  { definition, guest }: FoundDomain,
): Promise<ReadonlySet<(typeof KINDS)[number][number]>> {
  const state = guest === undefined ? "shutoff" : (await getGuestState(node, guest)).state;
  const known = state === "running" || state === "paused" || state === "shutoff";
  return new Set<(typeof KINDS)[number][number]>([
    guest === undefined ? "list-inactive" : "list-active",
    definition === undefined ? "list-transient" : "list-persistent",
    known ? `list-${state}` : "list-other",
  ]);
}
