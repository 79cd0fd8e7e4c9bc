import { unboundDisk } from "../domain/devices/disk/bound.ts";
import { unbound } from "../domain/devices/network/bound.ts";
import { inspectDomain } from "../domain/document.ts";
import type { Domain } from "../domain/domain.ts";
import { refuseListeners } from "../domain/forbidden/listeners.ts";
import { refusePasswords } from "../domain/forbidden/passwords.ts";
import { refuseRawArguments } from "../domain/forbidden/raw-arguments.ts";
import { listUnimplemented } from "../domain/unimplemented/refuse.ts";
import { errorsOf, type SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { HostDependentError, movedRefusal, UnstartableError } from "../qemu/refusal.ts";
import type { InspectedStored } from "../qemu/stored-domain.ts";
import { makeMac } from "./generate-mac.ts";
import { addInterfaceId } from "./interface-id.ts";

/** Document, completed as far as possible, with all refusals. */
export interface InspectedDocument {
  /** Undefined if there are refusals. */
  readonly domain: Domain | undefined;
  /** Reasons why the document cannot be defined, in its order. */
  readonly errors: readonly SvirtError[];
  /** Lists the reasons why only a start refuses it, in the order of the document. */
  listStartErrors(): readonly SvirtError[];
  sort(errors: readonly SvirtError[]): readonly SvirtError[];
}

/** Options for completing a document. */
interface Completion {
  /** UUID for a domain without a UUID. */
  readonly spareUuid: string;
  /** Whether it will be defined: some settings are then refused that otherwise only a start refuses. */
  readonly isDefinition: boolean;
  /** Completes a domain. Throws "unsupported". */
  complete(domain: Domain): InspectedStored;
}

/**
 * Parses and completes a document and collects all refusals. Throws "xml" if it is not XML or not a
 * `<domain>`.
 */
export function inspectDocument(
  host: Host,
  bytes: Uint8Array,
  { complete, isDefinition, spareUuid }: Completion,
): InspectedDocument {
  const { sort, ...read } = inspectDomain(bytes, spareUuid);
  const domain = read.domain === undefined ? undefined : addNumbers(host, read.domain);
  const translated = domain !== undefined && read.isWhole ? translate(domain, complete) : { errors: [] };
  const errors = [
    ...read.errors,
    ...(domain !== undefined && isDefinition ? refusedOfDefinitions(domain) : []),
    ...translated.errors.filter((error) => !(error instanceof HostDependentError)),
  ];
  return {
    domain: errors.length === 0 ? translated.stored : undefined,
    errors: sort(errors),
    sort,
    listStartErrors: () => {
      if (domain === undefined) return [];
      const written = [
        ...translated.errors.filter((error) => error instanceof UnstartableError),
        ...listUnimplemented(domain, { locate: read.locate }),
        ...errorsOf(() => refuseListeners(domain)),
        ...(isDefinition ? [] : refusedOfDefinitions(domain)),
      ];
      // Implied settings, such as the sound of a display, follow from written settings. They are reported
      // only if no written setting is refused.
      return sort(written.length > 0 ? written : listUnimplemented(translated.stored ?? domain));
    },
  };
}

interface Translated {
  readonly stored?: Domain;
  /** Refusals, each with its place in the document. */
  readonly errors: readonly SvirtError[];
}

function translate(domain: Domain, complete: (domain: Domain) => InspectedStored): Translated {
  let translated: Translated | undefined;
  const errors = errorsOf(() => {
    const { errors: refusals, stored } = complete(domain);
    const moved = refusals.map((refusal) =>
      movedRefusal(refusal, placeBefore(domain, stored, refusal.place ?? "")),
    );
    translated = { stored, errors: moved };
  });
  return translated ?? { errors };
}

/** Returns the path in the domain before its completion, since it reorders the disks. */
function placeBefore(before: Domain, stored: Domain, place: string): string {
  return place.replace(/^(\/domain\/devices\/disk)\[(\d+)\]/, (path, disk: string, number: string) => {
    const found = stored.devices.disks[Number(number) - 1];
    const index = before.devices.disks.findIndex(({ target }) => target.dev === found?.target.dev);
    return index === -1 ? path : `${disk}[${index + 1}]`;
  });
}

function refusedOfDefinitions(domain: Domain): readonly SvirtError[] {
  return [...errorsOf(() => refuseRawArguments(domain)), ...errorsOf(() => refusePasswords(domain))];
}

function addNumbers(host: Host, domain: Domain): Domain {
  const { devices } = domain;
  const interfaces = devices.interfaces.map((each) =>
    addInterfaceId(host, { ...unbound(each), mac: each.mac ?? { address: makeMac(host) } }),
  );
  const genid = domain.genid === "" ? { genid: host.makeUuid() } : {};
  const disks = devices.disks.map(unboundDisk);
  return { ...domain, ...genid, devices: { ...devices, disks, interfaces } };
}
