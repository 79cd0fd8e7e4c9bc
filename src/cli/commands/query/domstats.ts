import { asSvirtError } from "../../../errors.ts";
import { listDefinitionNames } from "../../../state/definitions.ts";
import { type FoundDomain, findDomain } from "../../../vm/guest/find-domain.ts";
import { getGuestState } from "../../../vm/query/guest-state.ts";
import { GROUPS, type Group, listStatistics } from "../../../vm/query/statistics/list.ts";
import type { Entry } from "../../../vm/query/statistics/subject.ts";
import { type Call, type Command, JSON_OPTION, type Option, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

const GROUP_SUMMARIES: Readonly<Record<Group, string>> = {
  state: "how it stands, in libvirt's numbers",
  "cpu-total": "processor time, in nanoseconds",
  balloon: "memory, in KiB",
  vcpu: "each virtual CPU",
  interface: "network interfaces",
  block: "disks",
  perf: "events of the processor: svirt has none",
  iothread: "threads for input and output",
  memory: "memory bandwidth: svirt has none",
  dirtyrate: "how fast it changes its memory, by the last measurement",
  vm: "what KVM counts of the whole machine",
};

const FILTERS: readonly Option[] = [
  { name: "list-active", summary: "only those that run" },
  { name: "list-inactive", summary: "only those that are off" },
  { name: "list-persistent", summary: "only those that are defined" },
  { name: "list-transient", summary: "only those that are not" },
  { name: "list-running", summary: "only those whose virtual CPUs run" },
  { name: "list-paused", summary: "only those that are paused" },
  { name: "list-shutoff", summary: "only those that are off" },
  { name: "list-other", summary: "only those in any other state" },
];

/** `svirt domstats [DOMAIN...]` */
export const command: Command = {
  spec: {
    name: "domstats",
    summary: "all that is counted of domains, by libvirt's keys",
    details:
      "Of all groups, or of those that are named; of all domains, or of those that are named or that a filter leaves. All\n" +
      "QEMUs are asked at once. Of one that does not answer within 5 s nothing is counted: standard error says so, and with\n" +
      "--json the field error.",
    recovery: "all",
    operands: [
      { name: "domain", summary: "names, ids or uuids of domains", isOptional: true, isRepeated: true },
    ],
    options: [
      ...groupNames().map((name) => ({ name, summary: GROUP_SUMMARIES[name] })),
      ...FILTERS,
      { name: "raw", summary: "values as they are, which svirt always prints" },
      { name: "enforce", summary: "fail for a group that is not known; svirt knows all" },
      { name: "backing", summary: "the images below each disk's own as well" },
      { name: "nowait", summary: "do not wait for somebody else's work; svirt never does" },
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
