import type { Iothread } from "../forms/iothreads.ts";

interface Written {
  readonly iothreads?: number;
  readonly iothreadIds?: { readonly list: readonly Iothread[] };
}

/**
 * Returns the I/O threads of a domain: threads with an explicit number, then the threads of `<iothreads>`,
 * with the lowest free numbers. virDomainIOThreadIDArrayInit() of libvirt
 */
export function listIothreads({ iothreads = 0, iothreadIds: written }: Written): readonly Iothread[] {
  const given = written?.list ?? [];
  const taken = new Set(given.map(({ id }) => id));
  const free = [...Array(iothreads).keys()].map((at) => at + 1).filter((id) => !taken.has(id));
  const missing = Math.max(0, iothreads - given.length);
  return [...given, ...free.slice(0, missing).map((id) => ({ id }))];
}
