import type { Domain } from "../domain/domain.ts";
import { throwErrors } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { inspectStored } from "../qemu/stored-domain.ts";
import { readDefinition } from "../state/definitions.ts";
import type { Node } from "../state/instance.ts";
import { hostFirmware } from "./host-firmware.ts";
import { type InspectedDocument, inspectDocument } from "./inspect-document.ts";

/**
 * A domain from what somebody wrote, with all that it must keep from one start to the next: a UUID, that of the domain
 * that is defined by its name or a new one, an address for each interface, a generation's number where the XML wants a
 * new one, and what it leaves open, decided.
 * Throws "xml", "unsupported", with all that is refused.
 */
export function completeDomain(node: Node, bytes: Uint8Array): Domain {
  return completed(inspectForDefinition(node, bytes));
}

/** The same for a start. What is refused includes what only a start refuses, unless there is nothing else. */
export function completeForStart(node: Node, bytes: Uint8Array): Domain {
  const inspected = inspectForDefinition(node, bytes);
  if (inspected.errors.length > 0)
    throwErrors(inspected.sort([...inspected.errors, ...inspected.listStartErrors()]));
  return completed(inspected);
}

/** A domain of which whatever is defined on the host plays no part, with all that is refused in it. */
export function inspectLooseDomain(host: Host, bytes: Uint8Array): InspectedDocument {
  return inspectDocument(host, bytes, {
    spareUuid: host.makeUuid(),
    isDefinition: false,
    complete: (domain) => inspectStored(domain),
  });
}

/** The same for one that is only looked at. Throws "xml", "unsupported", with all that is refused. */
export function completeLooseDomain(host: Host, bytes: Uint8Array): Domain {
  return completed(inspectLooseDomain(host, bytes));
}

function inspectForDefinition(node: Node, bytes: Uint8Array): InspectedDocument {
  const firmware = hostFirmware(node);
  const spare = node.host.makeUuid();
  return inspectDocument(node.host, bytes, {
    spareUuid: spare,
    isDefinition: true,
    complete(domain) {
      const uuid = domain.uuid === spare ? (readDefinition(node, domain.name)?.uuid ?? spare) : domain.uuid;
      return inspectStored({ ...domain, uuid }, firmware);
    },
  });
}

function completed({ domain, errors }: InspectedDocument): Domain {
  throwErrors(errors);
  if (domain === undefined) throw new Error("a domain is neither completed nor refused");
  return domain;
}
