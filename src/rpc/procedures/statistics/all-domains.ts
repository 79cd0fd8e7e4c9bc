import { SvirtError } from "../../../errors.ts";
import { selectDomains } from "../../../vm/query/domain-selection.ts";
import {
  type DomainStatistics,
  type Filter,
  listDomainStatistics,
} from "../../../vm/query/statistics/domains.ts";
import { GROUPS, type Group } from "../../../vm/query/statistics/list.ts";
import { array, struct, uint } from "../../xdr/form.ts";
import { typedParameter } from "../../xdr/typed-parameter.ts";
import { domain, LIST_MAX, type RemoteDomain, remoteDomain, uuidText } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";
import { typedStatistic } from "./typed-statistic.ts";

/**
 * virConnectGetAllDomainStatsFlags of libvirt's libvirt-domain.h: filters in the order of their bits, and
 * three more.
 */
const FILTERS = [
  ...(["active", "inactive", "persistent", "transient"] as const),
  ...(["running", "paused", "shutoff", "other"] as const),
] satisfies Filter[];
const FILTER_FLAGS = 2 ** FILTERS.length - 1;
const [NO_WAIT, BACKING, ENFORCE] = [2 ** 29, 2 ** 30, 2 ** 31];
/** REMOTE_CONNECT_GET_ALL_DOMAIN_STATS_MAX of libvirt 11.3's remote_protocol.x */
const MOST_STATISTICS = 262_144;

/** Groups of statistics in the order of their bits. virDomainStatsTypes of libvirt's libvirt-domain.h */
const GROUP_NAMES = Object.keys(GROUPS) as Group[];

/** Procedures for the statistics of several domains. */
export const allDomainProcedures: readonly Procedure[] = [
  procedure({
    number: 344,
    api: "virConnectGetAllDomainStats",
    args: struct({ domains: array(domain, LIST_MAX), stats: uint, flags: uint }),
    flags: { known: FILTER_FLAGS | NO_WAIT | BACKING | ENFORCE, refusedBy: "qemuConnectGetAllDomainStats" },
    result: struct({
      records: array(struct({ dom: domain, params: array(typedParameter, MOST_STATISTICS) }), LIST_MAX),
    }),
    recovers: ({ domains }) => (domains.length === 0 ? "all" : keysOf(domains)),
    async run({ args, instance, running, session }) {
      const { domains, flags, stats } = args;
      const { onDamaged } = session;
      if ((flags & ENFORCE) !== 0) refuseUnknown(stats);
      // As in libvirt, domains removed since are left out.
      const known = domains.length === 0 ? [] : await selectDomains(instance, { running, onDamaged }, []);
      const uuids = new Set(known.map(({ uuid }) => uuid));
      const keys = keysOf(domains).filter((key) => uuids.has(key));
      if (domains.length > 0 && keys.length === 0) return { records: [] };
      const all = await listDomainStatistics(instance, {
        keys,
        running,
        filters: new Set(FILTERS.filter((_, at) => (flags & (1 << at)) !== 0)),
        groups: GROUP_NAMES.filter((_, at) => stats === 0 || (stats & (1 << at)) !== 0),
        backing: (flags & BACKING) !== 0,
        onDamaged,
      });
      for (const { error } of all) {
        if (error !== undefined && domains.length === 1) throw error;
        if (error !== undefined) session.warn(error);
      }
      return { records: all.map(recordOf) };
    },
  }),
];

/** Returns the UUIDs of domains, each once: a client may name one many times. */
function keysOf(domains: readonly RemoteDomain[]): readonly string[] {
  return [...new Set(domains.map(({ uuid }) => uuidText(uuid)))];
}

function recordOf({ entries, ...found }: DomainStatistics): {
  readonly dom: RemoteDomain;
  readonly params: readonly ReturnType<typeof typedStatistic>[];
} {
  return { dom: remoteDomain(found), params: entries.map(typedStatistic) };
}

/** qemuDomainGetStatsCheckSupport() of libvirt */
function refuseUnknown(stats: number): void {
  const others = (stats & ~(2 ** GROUP_NAMES.length - 1)) >>> 0;
  if (others === 0) return;
  const bits = `0x${others.toString(16)}`;
  throw new SvirtError(
    `argument unsupported: Stats types bits ${bits} are not supported by this daemon or QEMU`,
    { kind: "unsupported", libvirt: "ARGUMENT_UNSUPPORTED", remedy: "Leave these groups out." },
  );
}
