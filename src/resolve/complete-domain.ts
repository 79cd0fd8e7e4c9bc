import type { Domain } from "../domain/domain.ts";
import { throwErrors } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { inspectStored } from "../qemu/stored-domain.ts";
import { readDefinition } from "../state/definitions.ts";
import type { Instance } from "../state/instance.ts";
import { hostFirmware } from "./host-firmware.ts";
import { type InspectedDocument, inspectDocument } from "./inspect-document.ts";

/**
 * Completes a domain with everything constant between two starts, and decides the settings left open by its
 * XML. Its UUID is that of the definition with its name, or a new UUID. Each interface gets an address, and
 * an empty `<genid>` a UUID. Throws "xml", "unsupported", with all refusals.
 */
export function completeDomain(instance: Instance, bytes: Uint8Array): Domain {
  return completed(inspectForDefinition(instance, bytes));
}

/**
 * Completes a domain for a start. The refusals include refusals by starts only, unless there are no others.
 */
export function completeForStart(instance: Instance, bytes: Uint8Array): Domain {
  const inspected = inspectForDefinition(instance, bytes);
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
 * Completes a domain that is only inspected, without regard to the definitions on the host. Throws "xml",
 * "unsupported", with all refusals.
 */
export function completeLooseDomain(host: Host, bytes: Uint8Array): Domain {
  return completed(inspectLooseDomain(host, bytes));
}

function inspectForDefinition(instance: Instance, bytes: Uint8Array): InspectedDocument {
  const firmware = hostFirmware(instance);
  const spare = instance.host.makeUuid();
  return inspectDocument(instance.host, bytes, {
    spareUuid: spare,
    isDefinition: true,
    complete(domain) {
      const uuid =
        domain.uuid === spare ? (readDefinition(instance, domain.name)?.uuid ?? spare) : domain.uuid;
      return inspectStored({ ...domain, uuid }, firmware);
    },
  });
}

function completed({ domain, errors }: InspectedDocument): Domain {
  throwErrors(errors);
  if (domain === undefined) throw new Error("a domain is neither completed nor refused");
  return domain;
}
