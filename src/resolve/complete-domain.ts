import type { Domain } from "../domain/domain.ts";
import { throwErrors } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { inspectStored } from "../qemu/stored-domain.ts";
import { readDefinition } from "../state/definitions.ts";
import type { Node } from "../state/instance.ts";
import { hostFirmware } from "./host-firmware.ts";
import { type InspectedDocument, inspectDocument } from "./inspect-document.ts";

/**
 * Completes a domain with everything that must not differ between two starts, and decides the settings that its XML
 * leaves open. Its UUID is that of the definition with its name, or a new one. Each interface gets an address, and an
 * empty `<genid>` a UUID. Throws "xml", "unsupported", with all refusals.
 */
export function completeDomain(node: Node, bytes: Uint8Array): Domain {
  return completed(inspectForDefinition(node, bytes));
}

/** Completes a domain for a start. The refusals include those that only a start has, unless there are no others. */
export function completeForStart(node: Node, bytes: Uint8Array): Domain {
  const inspected = inspectForDefinition(node, bytes);
  if (inspected.errors.length > 0)
    throwErrors(inspected.sort([...inspected.errors, ...inspected.listStartErrors()]));
  return completed(inspected);
}

/** Completes a domain without regard to the definitions on the host, with all refusals. */
export function inspectLooseDomain(host: Host, bytes: Uint8Array): InspectedDocument {
  return inspectDocument(host, bytes, {
    spareUuid: host.makeUuid(),
    isDefinition: false,
    complete: (domain) => inspectStored(domain),
  });
}

/**
 * Completes a domain that is only inspected, without regard to the definitions on the host. Throws "xml", "unsupported",
 * with all refusals.
 */
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
