/** Fields of a PCI device's address, of which the domain is always written. */
export function withPciDomain<T extends { readonly domain?: number }>(address: T): T & { domain: number } {
  return { ...address, domain: address.domain ?? 0 };
}
