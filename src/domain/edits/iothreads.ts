import { SvirtError } from "../../errors.ts";
import type { LibvirtDomain } from "../../virterror.ts";
import type { Domain } from "../domain.ts";
import type { IdSet } from "../forms/id-set.ts";
import type { IothreadUse } from "../forms/iothread-mapping.ts";
import type { Iothread } from "../forms/iothreads.ts";
import { listIothreads } from "../machine/list-iothreads.ts";
import { replaceCputune } from "./tuning.ts";

/** New values of an I/O thread; absent values stay. */
export interface IothreadValues {
  readonly pollMaxNs?: number;
  readonly pollGrow?: number;
  readonly pollShrink?: number;
  readonly threadPoolMin?: number;
  readonly threadPoolMax?: number;
}

/**
 * Parameters of an I/O thread with their fields. VIR_DOMAIN_IOTHREAD_POLL_MAX_NS of libvirt's
 * libvirt-domain.h and its like
 */
export const IOTHREAD_PARAMETERS = [
  ["poll_max_ns", "pollMaxNs"],
  ["poll_grow", "pollGrow"],
  ["poll_shrink", "pollShrink"],
  ["thread_pool_min", "threadPoolMin"],
  ["thread_pool_max", "threadPoolMax"],
] as const satisfies readonly (readonly [string, keyof IothreadValues])[];

/** Largest value. QEMU and libvirt have them in signed numbers of 32 bits. */
const MOST = 2 ** 31 - 1;

/**
 * Returns the domain with another I/O thread. Throws "usage" with libvirt's messages.
 * virDomainDriverAddIOThreadCheck() of libvirt
 */
export function addIothreadTo(domain: Domain, id: number): Domain {
  if (id === 0) throw zero();
  const threads = listIothreads(domain);
  if (threads.some((thread) => thread.id === id))
    throw refused(`an IOThread is already using iothread_id '${id}'`, "Choose another number.", "DOMAIN");
  return replaceThreads(domain, [...threads, { id }]);
}

/**
 * Returns the domain without an I/O thread and its pin. Throws "usage" with libvirt's messages if there is
 * none, or a device uses it. virDomainDriverDelIOThreadCheck() of libvirt
 */
export function withoutIothread(domain: Domain, id: number): Domain {
  if (id === 0) throw zero();
  const threads = listIothreads(domain);
  refuseMissing(domain, id, "DOMAIN");
  refuseUsed(domain, id);
  const { cputune } = domain;
  const freed =
    cputune === undefined
      ? domain
      : replaceCputune(domain, {
          iothreadpins: cputune.iothreadpins.filter(({ iothread }) => iothread !== id),
          iothreadscheds: cputune.iothreadscheds
            .map((found) => ({ ...found, iothreads: found.iothreads.filter((other) => other !== id) }))
            .filter(({ iothreads }) => iothreads.length > 0),
        });
  return replaceThreads(
    freed,
    threads.filter((thread) => thread.id !== id),
  );
}

/** Returns the domain with an I/O thread pinned to `cpus`; undefined removes its pin. Throws "usage". */
export function replaceIothreadPin(domain: Domain, id: number, cpus: IdSet | undefined): Domain {
  if (!listIothreads(domain).some((thread) => thread.id === id))
    throw refused(`iothread ${id} not found`, "List the I/O threads: svirt iothreadinfo DOMAIN");
  const others = (domain.cputune?.iothreadpins ?? []).filter((pin) => pin.iothread !== id);
  const pins = cpus === undefined ? others : [...others, { iothread: id, cpuset: cpus }];
  return replaceCputune(domain, {
    iothreadpins: pins.toSorted((one, other) => one.iothread - other.iothread),
  });
}

/**
 * Returns the domain with other values of an I/O thread. Throws "usage". qemuDomainHotplugModIOThreadIDDef()
 * of libvirt
 */
export function replaceIothreadValues(domain: Domain, id: number, values: IothreadValues): Domain {
  if (id === 0) throw zero();
  refuseMissing(domain, id);
  for (const [name, key] of IOTHREAD_PARAMETERS) {
    const value = values[key] ?? 0;
    if (value < 0)
      throw refused(`${name} (${value}) must be equal to or greater than 0`, "Give another value.");
    if (value > MOST)
      throw refused(`${name} (${value}) must be less than or equal to ${MOST}`, "Give another value.");
  }
  const threads = listIothreads(domain).map((thread) =>
    thread.id === id ? replaceValues(thread, values) : thread,
  );
  return replaceThreads(domain, threads);
}

function replaceValues(thread: Iothread, values: IothreadValues): Iothread {
  const { pollGrow, pollMaxNs, pollShrink, ...pool } = values;
  const poll = {
    ...thread.poll,
    ...(pollMaxNs === undefined ? {} : { max: pollMaxNs }),
    ...(pollGrow === undefined ? {} : { grow: pollGrow }),
    ...(pollShrink === undefined ? {} : { shrink: pollShrink }),
  };
  return { ...thread, ...pool, ...(Object.keys(poll).length === 0 ? {} : { poll }) };
}

function replaceThreads(domain: Domain, list: readonly Iothread[]): Domain {
  const { iothreadIds: _ids, iothreads: _count, ...rest } = domain;
  return list.length === 0 ? rest : { ...rest, iothreads: list.length, iothreadIds: { list } };
}

function refuseMissing(domain: Domain, id: number, from?: LibvirtDomain): void {
  if (listIothreads(domain).some((thread) => thread.id === id)) return;
  throw new SvirtError(`invalid argument: cannot find IOThread '${id}' in iothreadids list`, {
    kind: "usage",
    from,
    remedy: "List the I/O threads: svirt iothreadinfo DOMAIN",
  });
}

function refuseUsed({ devices: { controllers, disks } }: Domain, id: number): void {
  const disk = disks.find(({ driver }) => isUsed(driver, id));
  const controller = controllers.find((found) => found.type === "scsi" && isUsed(found.driver, id));
  if (disk === undefined && controller === undefined) return;
  const user = disk === undefined ? "controller" : `disk '${disk.target.dev}'`;
  throw refused(
    `cannot remove IOThread ${id} since it is being used by ${user}`,
    "Detach that device, or give it another I/O thread.",
    "DOMAIN",
  );
}

function isUsed(use: IothreadUse | undefined, id: number): boolean {
  return use?.iothread === id || (use?.iothreads?.threads.some((thread) => thread.id === id) ?? false);
}

function zero(): SvirtError {
  return refused("invalid value of 0 for iothread_id", "Number I/O threads from 1.");
}

function refused(why: string, remedy: string, from?: LibvirtDomain): SvirtError {
  return new SvirtError(`invalid argument: ${why}`, { kind: "usage", from, remedy });
}
