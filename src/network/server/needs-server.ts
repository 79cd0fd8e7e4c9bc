import type { Network } from "../forms/network.ts";

/** Whether parts of a network are the work of a DHCP, DNS or TFTP server. */
export function needsServer({ dns, domain, ips }: Network): boolean {
  const isServed = ips.some(
    ({ dhcp, localPtr, tftp }) => dhcp !== undefined || tftp !== undefined || localPtr === true,
  );
  return isServed || domain !== undefined || (dns !== undefined && dns.enable !== false);
}
