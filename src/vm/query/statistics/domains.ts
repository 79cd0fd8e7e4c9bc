import { asSvirtError, type OnRefused, type SvirtError, unlessRefused } from "../../../errors.ts";
import { listDefinitionNames } from "../../../state/definitions.ts";
import type { Instance } from "../../../state/instance.ts";
import type { GuestRecord } from "../../../state/record.ts";
import { type FoundDomain, findDomain } from "../../guest/find-domain.ts";
import { getGuestState } from "../guest-state.ts";
import { type Group, listStatistics } from "./list.ts";
import type { Entry } from "./subject.ts";

/** Filters of domains, by kind. As in libvirt, a domain must match one filter of each requested kind. */
const FILTERS = [
  ["active", "inactive"],
  ["persistent", "transient"],
  ["running", "paused", "shutoff", "other"],
] as const;
export type Filter = (typeof FILTERS)[number][number];

/** Domains and groups whose statistics are requested. */
interface StatisticsOptions {
  /** Names, ids or UUIDs of domains; empty: all. */
  readonly keys: readonly string[];
  /** Guests that run, for a request of all domains. */
  readonly running: readonly Pick<GuestRecord, "name" | "uuid">[];
  readonly filters: ReadonlySet<Filter>;
  readonly groups: readonly Group[];
  /** Whether to list the backing images of each disk as well. */
  readonly backing: boolean;
  /**
   * Receives the error of each domain with a damaged definition, which a request of all domains leaves out.
   */
  readonly onDamaged?: OnRefused | undefined;
}

/** Statistics of a domain under libvirt's keys. */
export interface DomainStatistics {
  readonly name: string;
  readonly uuid: string;
  /** Undefined for a domain that is off. */
  readonly id: number | undefined;
  readonly entries: readonly Entry[];
  /** Error for which there are no entries. */
  readonly error?: SvirtError;
}

/** Longest work beside which no other call runs. */
const WORK_MS = 25;

/**
 * Lists the statistics of domains. All QEMUs are queried concurrently, and a silent QEMU has an error in its
 * place. Throws "not-found" for an unknown key. virConnectGetAllDomainStats() of libvirt
 */
export async function listDomainStatistics(
  instance: Instance,
  options: StatisticsOptions,
): Promise<readonly DomainStatistics[]> {
  const { host } = instance;
  const found = await filterDomains(instance, listWanted(instance, options), options.filters);
  const begun: Promise<DomainStatistics>[] = [];
  let sinceMs = host.nowMs();
  for (const domain of found) {
    // Hundreds take seconds. A clock that is set back says nothing.
    const passedMs = host.nowMs() - sinceMs;
    if (passedMs < 0 || passedMs > WORK_MS) {
      await host.sleep(0);
      sinceMs = host.nowMs();
    }
    const statistics = statisticsOf(instance, domain, options);
    begun.push(statistics);
    // Waits for nothing.
    if (domain.guest === undefined) await statistics;
  }
  return await Promise.all(begun);
}

/** Never throws. */
async function statisticsOf(
  instance: Instance,
  domain: FoundDomain,
  options: StatisticsOptions,
): Promise<DomainStatistics> {
  const { guest, name, uuid } = domain;
  const facts = { name, uuid, id: guest?.id };
  try {
    return { ...facts, entries: await listStatistics(instance, domain, options) };
  } catch (error) {
    return { ...facts, entries: [], error: asSvirtError(error) };
  }
}

function listWanted(
  instance: Instance,
  { keys, onDamaged, running }: StatisticsOptions,
): readonly FoundDomain[] {
  if (keys.length > 0) return keys.map((key) => findDomain(instance, key));
  const names = new Set(running.map(({ name }) => name));
  const off = listDefinitionNames(instance).filter((name) => !names.has(name));
  return [...running.map(({ uuid }) => uuid), ...off].flatMap(
    (key) => unlessRefused(() => findDomain(instance, key), onDamaged) ?? [],
  );
}

async function filterDomains(
  instance: Instance,
  all: readonly FoundDomain[],
  filters: ReadonlySet<Filter>,
): Promise<readonly FoundDomain[]> {
  if (filters.size === 0) return all;
  const known = await Promise.all(all.map(async (found) => ({ found, is: await describe(instance, found) })));
  const isKept = (is: ReadonlySet<Filter>): boolean =>
    FILTERS.every((kind) => {
      const wanted = kind.filter((name) => filters.has(name));
      return wanted.length === 0 || wanted.some((name) => is.has(name));
    });
  return known.filter(({ is }) => isKept(is)).map(({ found }) => found);
}

/** Returns the filters that a domain matches. */
async function describe(
  instance: Instance,
  { definition, guest }: FoundDomain,
): Promise<ReadonlySet<Filter>> {
  const state = guest === undefined ? "shutoff" : (await getGuestState(instance, guest)).state;
  const known = state === "running" || state === "paused" || state === "shutoff";
  return new Set<Filter>([
    guest === undefined ? "inactive" : "active",
    definition === undefined ? "transient" : "persistent",
    known ? state : "other",
  ]);
}
