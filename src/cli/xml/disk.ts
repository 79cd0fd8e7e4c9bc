import { SvirtError } from "../../errors.ts";
import type { FileType } from "../../host/file-attributes.ts";
import { type Draft, emptyDraft, parentDraft, textDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { diskAddress } from "./disk-address.ts";
import { makeDraft } from "./make-draft.ts";

/** Options of attach-disk by name, with their values. */
type Options = ReadonlyMap<string, string>;

const MOST_PORT = 65_535;

/** Formats virsh's `<disk>` of its options. cmdAttachDisk() of libvirt's tools/virsh-domain.c */
export function formatDiskOptions(
  disk: { readonly source: string; readonly target: string; readonly found: FileType | undefined },
  options: Options,
): string {
  const { found, source, target } = disk;
  const type = typeOf(found, options);
  const draft = makeDraft("disk", { type, device: options.get("type") });
  const driver = makeDraft("driver", {
    name: options.get("driver"),
    type: options.get("subdriver"),
    iothread: options.get("iothread"),
    cache: options.get("cache"),
    io: options.get("io"),
  });
  if (driver.attributes.size > 0) draft.children.push(driver);
  draft.children.push(
    ...sourceOf(type, source, options),
    makeDraft("target", { dev: target, bus: options.get("targetbus") }),
    ...filtersOf(options),
    ...["readonly", "shareable"].filter((mode) => options.get("mode") === mode).map(emptyDraft),
    ...given(options.get("serial"), (text) => textDraft("serial", text)),
    ...given(options.get("alias"), (name) => makeDraft("alias", { name })),
    ...given(options.get("wwn"), (text) => textDraft("wwn", text)),
    ...given(options.get("address"), (word) => diskAddress(word, target, options.has("multifunction"))),
  );
  return formatDocument(draft);
}

function given(value: string | undefined, make: (value: string) => Draft): readonly Draft[] {
  return value === undefined ? [] : [make(value)];
}

function filtersOf(options: Options): readonly Draft[] {
  const filters = options
    .get("throttle-groups")
    ?.split(",")
    .map((group) => makeDraft("throttlefilter", { group }));
  return filters === undefined ? [] : [parentDraft("throttlefilters", filters)];
}

function sourceOf(type: string, source: string, options: Options): readonly Draft[] {
  if (type === "network") return [networkSource(source, options)];
  return source === "" ? [] : [makeDraft("source", { [type === "block" ? "dev" : "file"]: source })];
}

/** Returns the type of a disk. Throws "usage" with virsh's message for options that contradict it. */
function typeOf(found: FileType | undefined, options: Options): string {
  const isNetwork = options.has("source-protocol");
  const type = options.get("sourcetype") ?? (isNetwork ? "network" : undefined);
  if ((type === "network") === isNetwork) return type ?? (found === "block" ? "block" : "file");
  throw new SvirtError("--source-protocol option requires --sourcetype network", {
    kind: "usage",
    remedy: "Give both options, or none of them.",
  });
}

function networkSource(name: string, options: Options): Draft {
  const source = makeDraft("source", { protocol: options.get("source-protocol"), name });
  const found = makeDraft("host", {
    transport: options.get("source-host-transport"),
    socket: options.get("source-host-socket"),
    ...serverOf(options.get("source-host-name")),
  });
  if (found.attributes.size > 0) source.children.push(found);
  return source;
}

/**
 * Returns the server of a network disk, with an optional port. Throws "usage" without a name, and for a port
 * other than a number.
 */
function serverOf(word: string | undefined): { readonly name?: string; readonly port?: string | undefined } {
  if (word === undefined) return {};
  const [, name, port] = /^([^:]+)(?::(\d{1,5}))?$/.exec(word) ?? [];
  if (name !== undefined && Number(port ?? 0) <= MOST_PORT) return { name, port };
  throw new SvirtError(`Option --source-host-name is malformed: '${word}'`, {
    kind: "usage",
    remedy:
      "Write the server's name, with the number of its port, if any: HOST:10809. An IPv6 address: svirt attach-device",
  });
}
