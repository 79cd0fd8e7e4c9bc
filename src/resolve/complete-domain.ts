import { parseDomain } from "../domain/document.ts";
import type { Domain } from "../domain/domain.ts";
import { refusePasswords } from "../domain/forbidden/passwords.ts";
import { refuseRawWords } from "../domain/forbidden/raw-arguments.ts";
import type { Host } from "../host/host.ts";
import { storedDomain } from "../qemu/stored-domain.ts";
import { readDefinition } from "../state/definitions.ts";
import type { Node } from "../state/instance.ts";
import { hostFirmware } from "./host-firmware.ts";

/** The prefix of addresses that virtual machines are given. libvirt virNetDevGenerateMacAddress, "kvm" */
const MAC_PREFIX = "52:54:00";

/**
 * A domain from what somebody wrote, with all that it must keep from one start to the next: a UUID, that of the domain
 * that is defined by its name or a new one, an address for each interface, a generation's number where the XML wants a
 * new one, and what it leaves open, decided.
 * Throws "xml", "unsupported".
 */
export function completeDomain(node: Node, bytes: Uint8Array): Domain {
  const spare = node.host.makeUuid();
  const domain = withNumbers(node.host, parseDomain(bytes, spare));
  refuseRawWords(domain);
  refusePasswords(domain);
  const uuid = domain.uuid === spare ? (readDefinition(node, domain.name)?.uuid ?? spare) : domain.uuid;
  return storedDomain({ ...domain, uuid }, hostFirmware(node));
}

/** The same for one that is only looked at: whatever is defined on the host plays no part. */
export function completeLooseDomain(host: Host, bytes: Uint8Array): Domain {
  return storedDomain(withNumbers(host, parseDomain(bytes, host.makeUuid())));
}

function withNumbers(host: Host, domain: Domain): Domain {
  const { devices } = domain;
  const interfaces = devices.interfaces.map((each) => ({
    ...each,
    mac: each.mac ?? { address: makeMac(host) },
  }));
  const genid = domain.genid === "" ? { genid: host.makeUuid() } : {};
  return { ...domain, ...genid, devices: { ...devices, interfaces } };
}

/** A new address for an interface that has none. */
export function makeMac(host: Host): string {
  // A random UUID begins with 48 random bits. RFC 9562, section 5.4
  const [, a, b, c] = /^(..)(..)(..)/.exec(host.makeUuid()) ?? [];
  return `${MAC_PREFIX}:${a}:${b}:${c}`;
}
