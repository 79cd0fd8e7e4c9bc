import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { commandsOf } from "../../qemu/monitor/plug-commands.ts";

/** Memory backend of a guest, as requested from QEMU. qemu.git qapi/qom.json MemoryBackendProperties */
const backend = v.object({
  id: v.string(),
  size: v.number(),
  hugetlbsize: v.optional(v.number()),
});
type Backend = v.InferOutput<typeof backend>;

/**
 * Refuses huge pages that the host has not set aside: QEMU would only report "Cannot allocate memory". Throws
 * "wrong-state".
 */
export function refuseShortMemory(host: Host, words: readonly string[]): void {
  const backends = commandsOf(words).flatMap((command) => {
    const read = v.safeParse(backend, command.arguments);
    return command.execute === "object-add" && read.success ? [read.output] : [];
  });
  const sizes = new Set(backends.flatMap(({ hugetlbsize }) => hugetlbsize ?? []));
  for (const size of sizes) refuseFewPages(host, size, backends);
}

/** Refuses more huge pages of a size than are free. Documentation/admin-guide/mm/hugetlbpage.rst of Linux */
function refuseFewPages(host: Host, size: number, backends: readonly Backend[]): void {
  const asked = backends.filter(({ hugetlbsize }) => hugetlbsize === size);
  const count = asked.reduce((sum, found) => sum + Math.ceil(found.size / size), 0);
  const folder = `/sys/kernel/mm/hugepages/hugepages-${size / 1024}kB`;
  const free = host.readText(`${folder}/free_hugepages`)?.trim();
  if (Number(free ?? "-1") >= count) return;
  const why = free === undefined ? "has no pages of that size" : `has ${free}`;
  throw new SvirtError(`Cannot give the guest ${count} huge pages of ${size / 1024} KiB: the host ${why}`, {
    kind: "wrong-state",
    remedy:
      free === undefined
        ? "Write another size in <page>, or leave <hugepages> out."
        : `Reserve more pages: echo N >${folder}/nr_hugepages`,
  });
}
