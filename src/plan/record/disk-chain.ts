import type { LiveImage } from "../../domain/live-devices.ts";
import type { FileId } from "../facts/file.ts";
import type { PassedFile } from "../facts/launch-spec.ts";
import type { Step } from "../steps/step.ts";
import type { Plugged } from "./qemu-objects.ts";

type Facts = Readonly<Record<string, unknown>>;

/** Image of a disk in QEMU's block graph. */
export interface RecordedImage {
  /** Its name in the layer above. */
  readonly node: string;
  /** All its nodes, each before the nodes below it. */
  readonly nodes: readonly string[];
  /** Its files, keyed by the number of their descriptor set in QEMU. */
  readonly files: ReadonlyMap<number, FileId>;
}

/** Returns the images of a device, top first. */
export function listLayers(plugged: Plugged, device: string): readonly RecordedImage[] {
  const layers: RecordedImage[] = [];
  for (let node = nameIn(plugged.devices.get(device)?.["drive"]); node !== undefined; ) {
    layers.push(layerOf(plugged, node));
    node = nameIn(plugged.nodes.get(node)?.["backing"]);
  }
  return layers;
}

/** Returns the images of a device, top first; empty unless all of them are local files or block devices. */
export function runningChain(plugged: Plugged, device: string): readonly LiveImage[] {
  const images = listLayers(plugged, device).map((layer) => describeLayer(plugged, layer));
  return images.every((image) => image !== undefined) ? images : [];
}

function describeLayer(
  { nodes }: Plugged,
  { files, node, nodes: own }: RecordedImage,
): LiveImage | undefined {
  const [, number, part] = /^libvirt-(\d+)-(format|storage)$/.exec(node) ?? [];
  const storage = part === "storage" ? node : nameIn(nodes.get(node)?.["file"]);
  const driver = nodes.get(storage ?? "")?.["driver"];
  const [file] = files.values();
  if (number === undefined || file === undefined || own.length > 2) return undefined;
  if (driver !== "file" && driver !== "host_device" && driver !== "host_cdrom") return undefined;
  const format = part === "storage" ? "raw" : formatIn(nodes.get(node));
  if (format === undefined) return undefined;
  return { number: Number(number), format, type: driver === "file" ? "file" : "block", path: file.path };
}

/** Returns the format of a node. A LUKS volume is a raw image, as in the XML. */
function formatIn(facts: Facts | undefined): string | undefined {
  const driver = nameIn(facts?.["driver"]);
  return driver === "luks" ? "raw" : driver;
}

/** Returns the image with the top node. */
export function layerOf(plugged: Plugged, node: string): RecordedImage {
  const nodes = listOwn(plugged, node);
  const files = new Map<number, FileId>();
  for (const name of nodes) {
    const set = setOf(plugged.nodes.get(name));
    const file = set === undefined ? undefined : plugged.files.get(set);
    if (set !== undefined && file !== undefined) files.set(set, file);
  }
  return { node, nodes, files };
}

/** Plans the step by which QEMU reopens all files of an image, with all its nodes. */
export function planAccess(
  plugged: Plugged,
  layer: RecordedImage,
  how: Pick<PassedFile, "access" | "direct"> & { readonly monitor: string },
): Extract<Step, { do: "set-access" }> {
  const { access, direct, monitor } = how;
  const as = access === "read-only" ? "reader" : "writer";
  // A QEMU with its own locks on images must find only these.
  const isLocked = layer.nodes.some((name) => plugged.nodes.get(name)?.["locking"] === "off");
  const lock = isLocked ? { lock: { as, isFirst: false } as const } : {};
  return {
    do: "set-access",
    monitor,
    files: [...layer.files].map(([fd, file]) => ({ fd, file, access, truncate: false, direct, ...lock })),
    nodes: layer.nodes.map((name) => ({
      ...plugged.nodes.get(name),
      "read-only": access === "read-only",
    })),
  };
}

/** Returns the number of the descriptor set that a node or a USB device uses. */
export function setOf(facts: Facts | undefined): number | undefined {
  const name = nameIn(facts?.["filename"]) ?? nameIn(facts?.["hostdevice"]) ?? "";
  const number = /^\/dev\/fdset\/(\d+)$/.exec(name)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Returns the name of the connection in the arguments of a node or a chardev. */
export function peerIn(facts: Facts | undefined): string | undefined {
  const backend = facts?.["backend"] as { readonly data?: { readonly addr?: Facts } } | undefined;
  const server = facts?.["server"] as Facts | undefined;
  const address = server ?? backend?.data?.addr;
  if (address?.["type"] !== "fd") return undefined;
  return nameIn(address["str"] ?? (address["data"] as Facts | undefined)?.["str"]);
}

/**
 * Returns the ids of the secrets in the arguments of a node: of its server, and the passphrases of its
 * layers.
 */
export function secretsIn(facts: Facts | undefined): readonly string[] {
  if (facts === undefined) return [];
  const own = ["key-secret", "password-secret"].flatMap((key) => nameIn(facts[key]) ?? []);
  const layers = ["encrypt", "parent"].flatMap((key) => secretsIn(facts[key] as Facts | undefined));
  return [...own, ...layers];
}

/** Returns the value if it is a string. */
export function nameIn(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function listOwn({ nodes }: Plugged, top: string): string[] {
  const facts = nodes.get(top);
  if (facts === undefined) return [];
  const below = ["file", "data-file"].flatMap((key) => nameIn(facts[key]) ?? []);
  return [top, ...below.flatMap((node) => listOwn({ nodes } as Plugged, node))];
}
