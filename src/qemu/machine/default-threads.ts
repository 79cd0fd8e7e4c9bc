import type { Domain } from "../../domain/domain.ts";
import type { IdSet } from "../../domain/forms/id-set.ts";
import type { Cputune } from "../../domain/machine/cputune.ts";
import { listIothreads } from "../../domain/machine/list-iothreads.ts";

/**
 * Returns the I/O threads and the CPU tuning, an element per thread and in order. virDomainCputuneDefFormat()
 * of libvirt
 */
export function fillThreads(domain: Domain): Pick<Domain, "iothreads" | "iothreadIds" | "cputune"> {
  const threads = listIothreads(domain);
  const { cputune, iothreadIds } = domain;
  return {
    ...(threads.length === 0 ? {} : { iothreads: threads.length }),
    ...((iothreadIds?.list.length ?? 0) === 0 ? {} : { iothreadIds: { list: threads } }),
    ...(cputune === undefined ? {} : { cputune: sortCputune(cputune) }),
  };
}

function sortCputune(cputune: Cputune): Cputune {
  return {
    ...cputune,
    // An element without allocations is dropped. virDomainCachetuneDefParse() of libvirt
    cachetunes: cputune.cachetunes.filter(({ caches, monitors }) => caches.length + monitors.length > 0),
    memorytunes: cputune.memorytunes.filter(({ nodes }) => nodes.length > 0),
    vcpupins: cputune.vcpupins.toSorted((one, other) => one.vcpu - other.vcpu),
    iothreadpins: cputune.iothreadpins.toSorted((one, other) => one.iothread - other.iothread),
    vcpuscheds: cputune.vcpuscheds
      .flatMap((found) => found.vcpus.map((id) => ({ ...found, vcpus: [id] })))
      .toSorted((one, other) => lowest(one.vcpus) - lowest(other.vcpus)),
    iothreadscheds: cputune.iothreadscheds
      .flatMap((found) => found.iothreads.map((id) => ({ ...found, iothreads: [id] })))
      .toSorted((one, other) => lowest(one.iothreads) - lowest(other.iothreads)),
  };
}

function lowest(ids: IdSet): number {
  return ids[0] ?? 0;
}
