import {
  type DomainStatistics,
  type Filter,
  listDomainStatistics,
} from "../../../vm/query/statistics/domains.ts";
import { GROUPS, type Group } from "../../../vm/query/statistics/list.ts";
import { type Call, type Command, JSON_OPTION, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { warnOf } from "../../output/warn-of.ts";

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

/** Filters by virsh's options: `--list-active` and the others. */
const FILTER_SUMMARIES: Readonly<Record<Filter, string>> = {
  active: "only running and paused domains",
  inactive: "only domains that are off",
  persistent: "only defined domains",
  transient: "only domains without a definition",
  running: "only domains with running vCPUs",
  paused: "only paused domains",
  shutoff: "only domains that are off",
  other: "only domains in another state",
};

/** `svirt domstats [DOMAIN...]` */
export const command: Command = {
  spec: {
    name: "domstats",
    summary: "print the statistics of domains, by libvirt's keys",
    details:
      "Prints all groups of all domains, unless options name groups, or domains are named or filtered. All QEMUs are\n" +
      "asked concurrently. A guest without an answer within 5 s has no statistics: standard error has a warning and,\n" +
      "with --json, its field error has the reason.",
    recovery: "all",
    operands: [
      { name: "domain", summary: "names, ids or uuids of domains", isOptional: true, isRepeated: true },
    ],
    options: [
      ...groupNames().map((name) => ({ name, summary: GROUP_SUMMARIES[name] })),
      ...filterNames().map((name) => ({ name: `list-${name}`, summary: FILTER_SUMMARIES[name] })),
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
    const records = await listDomainStatistics(call.instance, {
      keys: call.rest,
      running: call.running,
      filters: new Set(filterNames().filter((name) => call.options.has(`list-${name}`))),
      groups,
      backing: call.options.has("backing"),
      onDamaged: (error) => warnOf(call, "warning", [error]),
    });
    for (const record of records) warnOfError(call, record);
    if (call.options.has("json")) {
      printJson(
        call,
        records.map(({ entries, error, name }) => ({
          name,
          stats: Object.fromEntries(entries),
          error: error?.message,
        })),
      );
    } else {
      call.output.print(`${records.map(formatRecord).join("\n")}\n`);
    }
    return undefined;
  },
};

function groupNames(): readonly Group[] {
  return Object.keys(GROUPS) as Group[];
}

function filterNames(): readonly Filter[] {
  return Object.keys(FILTER_SUMMARIES) as Filter[];
}

/** Prints the error of a domain: it must not hide the others. Throws it if the domain is the only domain. */
function warnOfError({ output, rest }: Call, { error, name }: DomainStatistics): void {
  if (error === undefined) return;
  if (rest.length === 1) throw error;
  output.warn(`warning: ${oneLine(`domain '${name}': ${error.message}`)}\n`);
}

function formatRecord({ entries, name }: DomainStatistics): string {
  return [`Domain: '${name}'`, ...entries.map(([key, value]) => `  ${key}=${value}`), ""].join("\n");
}
