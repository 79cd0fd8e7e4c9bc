import type { Iothread } from "../forms/iothreads.ts";

interface Written {
  readonly iothreads?: number;
  readonly iothreadIds?: { readonly list: readonly Iothread[] };
}

/**
 * The I/O threads of a domain: those with a number of their own, then as many more as `<iothreads>` says, with the
 * lowest free numbers. virDomainIOThreadIDArrayInit() of libvirt
 */
export function listIothreads({ iothreads = 0, iothreadIds: written }: Written): readonly Iothread[] {
  const given = written?.list ?? [];
  const taken = new Set(given.map(({ id }) => id));
  const free = [...Array(iothreads).keys()].map((at) => at + 1).filter((id) => !taken.has(id));
  const missing = Math.max(0, iothreads - given.length);
  return [...given, ...free.slice(0, missing).map((id) => ({ id }))];
}
