import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { listQemuObjects, type Plugged } from "../../../plan/record/qemu-objects.ts";
import { listDiskIds } from "../../../qemu/devices/disk/argv.ts";
import { type BlockNode, parseBlockNodes } from "../../../qemu/monitor/block-nodes.ts";
import {
  type DiskStatistics,
  parseBlockStatistics,
  parseNodeStatistics,
} from "../../../qemu/monitor/statistics.ts";
import type { Entry, Subject } from "./subject.ts";

/** Lists the entries of VIR_DOMAIN_STATS_BLOCK. */
export async function listDisks(subject: Subject): Promise<readonly Entry[]> {
  const layers = await listLayers(subject);
  return [["block.count", layers.length], ...layers.flatMap(formatLayer)];
}

/** An image of a disk: its own, or a backing image. */
interface Layer {
  readonly disk: Disk;
  /** Number in the name of its block node; undefined for a disk that is off. */
  readonly index: number | undefined;
  readonly path: string | undefined;
  readonly statistics: DiskStatistics | undefined;
  readonly image: BlockNode | undefined;
  /** Block node of the storage that contains the image. */
  readonly storage: BlockNode | undefined;
}

async function listLayers({ backing, running, whole }: Subject): Promise<readonly Layer[]> {
  const { disks } = whole.devices;
  if (running === undefined) return disks.map((disk) => ({ ...BARE, disk, path: pathOf(disk) }));
  const { guest, monitor } = running;
  const plugged = listQemuObjects(guest.steps);
  const ofDevices = parseBlockStatistics(await monitor.execute("query-blockstats"));
  const ofNodes = parseNodeStatistics(await monitor.execute("query-blockstats", { "query-nodes": true }));
  const nodes = parseBlockNodes(await monitor.execute("query-named-block-nodes", { flat: true }));
  const ids = listDiskIds(whole);
  return disks.flatMap((disk) => {
    const id = ids.get(disk.target.dev) ?? "";
    const chain = listChain(plugged, nameIn(plugged.devices.get(id)?.["drive"]));
    const layers = chain.map(({ file, name, path }, at) => ({
      disk,
      index: Number(/^libvirt-(\d+)-/.exec(name)?.[1]),
      path: at === 0 ? pathOf(disk) : path,
      statistics: at === 0 ? ofDevices.get(id) : ofNodes.get(name),
      image: nodes.get(name),
      storage: nodes.get(file),
    }));
    const [top = { ...BARE, disk, path: pathOf(disk) }, ...below] = layers;
    return backing ? [top, ...below] : [top];
  });
}

const BARE = {
  index: undefined,
  statistics: undefined,
  image: undefined,
  storage: undefined,
} as const;

/** A block node, the storage node below it, and that node's file. */
interface Link {
  readonly name: string;
  readonly file: string;
  readonly path: string | undefined;
}

/** Lists a disk's block nodes, from the top, by the commands that QEMU got. */
function listChain(plugged: Plugged, top: string | undefined): readonly Link[] {
  const links: Link[] = [];
  for (let name = top; name !== undefined; name = nameIn(plugged.nodes.get(name)?.["backing"])) {
    const file = nameIn(plugged.nodes.get(name)?.["file"]) ?? name;
    const set = /^\/dev\/fdset\/(\d+)$/.exec(nameIn(plugged.nodes.get(file)?.["filename"]) ?? "")?.[1];
    links.push({ name, file, path: plugged.files.get(Number(set))?.path });
  }
  return links;
}

function nameIn(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Returns the path of a local file or device; undefined for any other source. */
function pathOf({ source }: Disk): string | undefined {
  if (source === undefined) return undefined;
  if ("file" in source) return source.file;
  return "dev" in source ? source.dev : undefined;
}

function formatLayer(layer: Layer, number: number): readonly Entry[] {
  const { disk, image, index, path, statistics: is, storage } = layer;
  const facts: readonly (readonly [key: string, value: number | string | undefined])[] = [
    ["name", disk.target.dev],
    ["backingIndex", index],
    ["path", path],
    ["rd.reqs", is?.readRequests],
    ["rd.bytes", is?.readBytes],
    ["rd.times", is?.readNs],
    ["wr.reqs", is?.writeRequests],
    ["wr.bytes", is?.writeBytes],
    ["wr.times", is?.writeNs],
    ["fl.reqs", is?.flushRequests],
    ["fl.times", is?.flushNs],
    ["allocation", is?.highestByte],
    ["capacity", image?.sizeBytes],
    ["physical", storage?.sizeBytes],
    ["threshold", image?.thresholdBytes === 0 ? undefined : image?.thresholdBytes],
  ];
  return facts.flatMap(([key, value]) => (value === undefined ? [] : [[`block.${number}.${key}`, value]]));
}
