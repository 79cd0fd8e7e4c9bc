import { cpuSet, type IdSet } from "../domain/forms/id-set.ts";
import type { Host } from "../host/host.ts";
import { attributesDraft, type Draft, parentDraft } from "../xml/draft.ts";
import { listHugeSizes, PAGE_KIB } from "./host-cpu.ts";
import { CPU_FOLDER, getMemory, listCells, NODE_FOLDER } from "./node-facts.ts";

/** NUMA node of the host: its memory by size of page, the distances to all nodes, and its processors. */
export interface HostCell {
  readonly id: number;
  readonly memoryKiB: number;
  readonly pages: readonly { readonly sizeKiB: number; readonly count: number }[];
  readonly distances: readonly { readonly id: number; readonly value: number }[];
  readonly cpus: readonly CellCpu[];
}

/** Processor of a NUMA node with its place in the topology. */
interface CellCpu {
  readonly id: number;
  readonly socket: number;
  readonly die: number;
  readonly cluster: number;
  readonly core: number;
  readonly siblings: IdSet;
}

/** Reads the NUMA nodes of the host. virCapabilitiesHostNUMAInitReal() of libvirt */
export function listHostCells(host: Host): readonly HostCell[] {
  const cells = listCells(host);
  const ids = [...cells.keys()];
  return [...cells].map(([id, cpus]) => {
    const memoryKiB = getMemory(host, id).get("MemTotal") ?? 0;
    const values = (host.readText(`${NODE_FOLDER}/node${id}/distance`) ?? "")
      .trim()
      .split(/\s+/)
      .filter(Boolean);
    return {
      id,
      memoryKiB,
      pages: listPages(host, id, memoryKiB),
      distances: values.map((value, at) => ({ id: ids[at] ?? at, value: Number(value) })),
      cpus: cpus.map((cpu) => readCpu(host, cpu)),
    };
  });
}

/**
 * Counts pages of each size. Memory of huge pages is not available to others. virNumaGetPages() of libvirt
 */
function listPages(host: Host, cell: number, memoryKiB: number): HostCell["pages"] {
  const own = `${NODE_FOLDER}/node${cell}/hugepages`;
  const folder = host.inspectFile(own) === undefined ? "/sys/kernel/mm/hugepages" : own;
  const huge = listHugeSizes(host, folder).map((sizeKiB) => {
    const text = host.readText(`${folder}/hugepages-${sizeKiB}kB/nr_hugepages`) ?? "0";
    return { sizeKiB, count: Number(text.trim()) };
  });
  const hugeKiB = huge.reduce((sum, { count, sizeKiB }) => sum + count * sizeKiB, 0);
  return [{ sizeKiB: PAGE_KIB, count: Math.floor((memoryKiB - hugeKiB) / PAGE_KIB) }, ...huge];
}

function readCpu(host: Host, id: number): CellCpu {
  const folder = `${CPU_FOLDER}/cpu${id}/topology`;
  // An unknown id is missing or negative, and libvirt reports 0 then.
  const read = (name: string): number =>
    Math.max(0, Number((host.readText(`${folder}/${name}`) ?? "0").trim()) || 0);
  return {
    id,
    socket: read("physical_package_id"),
    die: read("die_id"),
    cluster: read("cluster_id"),
    core: read("core_id"),
    siblings: cpuSet.decode((host.readText(`${folder}/thread_siblings_list`) ?? "").trim()) ?? [id],
  };
}

/** Formats `<topology>`. virCapabilitiesHostNUMAFormat() of libvirt */
export function formatCells(cells: readonly HostCell[]): Draft {
  const all = attributesDraft("cells", { num: String(cells.length) });
  all.children.push(...cells.map(formatCell));
  return parentDraft("topology", [all]);
}

function formatCell({ cpus, distances, id, memoryKiB, pages }: HostCell): Draft {
  const cell = attributesDraft("cell", { id: String(id) });
  const memory = attributesDraft("memory", { unit: "KiB" });
  const siblings = distances.map((one) =>
    attributesDraft("sibling", { id: String(one.id), value: String(one.value) }),
  );
  const processors = attributesDraft("cpus", { num: String(cpus.length) });
  processors.children.push(...cpus.map(formatCpu));
  cell.children.push(
    ...(memoryKiB === 0 ? [] : [{ ...memory, text: String(memoryKiB) }]),
    ...pages.map(({ count, sizeKiB }) => ({
      ...attributesDraft("pages", { unit: "KiB", size: String(sizeKiB) }),
      text: String(count),
    })),
    ...(siblings.length === 0 ? [] : [parentDraft("distances", siblings)]),
    processors,
  );
  return cell;
}

function formatCpu({ cluster, core, die, id, siblings, socket }: CellCpu): Draft {
  return attributesDraft("cpu", {
    id: String(id),
    socket_id: String(socket),
    die_id: String(die),
    cluster_id: String(cluster),
    core_id: String(core),
    siblings: cpuSet.encode(siblings),
  });
}
