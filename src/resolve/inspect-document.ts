import { inspectDomain } from "../domain/document.ts";
import type { Domain } from "../domain/domain.ts";
import { refuseListeners } from "../domain/forbidden/listeners.ts";
import { refusePasswords } from "../domain/forbidden/passwords.ts";
import { refuseRawWords } from "../domain/forbidden/raw-arguments.ts";
import { listUnready } from "../domain/unimplemented/refuse.ts";
import { errorsOf, type SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { movedRefusal, UnsettledError, UnstartableError } from "../qemu/refusal.ts";
import type { InspectedStored } from "../qemu/stored-domain.ts";

/** The prefix of addresses that virtual machines are given. libvirt virNetDevGenerateMacAddress, "kvm" */
const MAC_PREFIX = "52:54:00";

/** A document, completed as far as it can be, with all that is refused in it. */
export interface InspectedDocument {
  /** Undefined if something is refused. */
  readonly domain: Domain | undefined;
  /** Why it cannot be defined, in the order of the document. */
  readonly errors: readonly SvirtError[];
  /** Why only a start refuses it, in the order of the document. */
  listStartErrors(): readonly SvirtError[];
  sort(errors: readonly SvirtError[]): readonly SvirtError[];
}

/** How a document is completed. */
interface Completion {
  /** For a domain without a UUID. */
  readonly spareUuid: string;
  /** Whether it is to be defined: some settings are then refused that are else refused at a start. */
  readonly isDefinition: boolean;
  /** Throws "unsupported". */
  complete(domain: Domain): InspectedStored;
}

/** Reads and completes a document past all that is refused in it. Throws "xml" for what is no XML, or no `<domain>`. */
export function inspectDocument(
  host: Host,
  bytes: Uint8Array,
  { complete, isDefinition, spareUuid }: Completion,
): InspectedDocument {
  const { sort, ...read } = inspectDomain(bytes, spareUuid);
  const domain = read.domain === undefined ? undefined : withNumbers(host, read.domain);
  const translated = domain !== undefined && read.isWhole ? translate(domain, complete) : { errors: [] };
  const errors = [
    ...read.errors,
    ...(domain !== undefined && isDefinition ? refusedOfDefinitions(domain) : []),
    ...translated.errors.filter((error) => !(error instanceof UnsettledError)),
  ];
  return {
    domain: errors.length === 0 ? translated.stored : undefined,
    errors: sort(errors),
    sort,
    listStartErrors: () => {
      if (domain === undefined) return [];
      const written = [
        ...translated.errors.filter((error) => error instanceof UnstartableError),
        ...listUnready(domain, { locate: read.locate }),
        ...errorsOf(() => refuseListeners(domain)),
        ...(isDefinition ? [] : refusedOfDefinitions(domain)),
      ];
      // What is implied follows from what is written, such as the sound of a display: alone it has to be told.
      return sort(written.length > 0 ? written : listUnready(translated.stored ?? domain));
    },
  };
}

interface Translated {
  readonly stored?: Domain;
  /** Each with its place in the document. */
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

/** The path in the domain before it was completed, which puts its disks in another order. */
function placeBefore(before: Domain, stored: Domain, place: string): string {
  return place.replace(/^(\/domain\/devices\/disk)\[(\d+)\]/, (path, disk: string, number: string) => {
    const found = stored.devices.disks[Number(number) - 1];
    const index = before.devices.disks.findIndex(({ target }) => target.dev === found?.target.dev);
    return index === -1 ? path : `${disk}[${index + 1}]`;
  });
}

function refusedOfDefinitions(domain: Domain): readonly SvirtError[] {
  return [...errorsOf(() => refuseRawWords(domain)), ...errorsOf(() => refusePasswords(domain))];
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
