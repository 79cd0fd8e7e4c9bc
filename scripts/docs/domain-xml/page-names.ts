/** Pages of elements that are not named like the element. The page of a device has the name of its family in src/. */
export const PAGES_OF: ReadonlyMap<string, string> = new Map([
  ["maxMemory", "memory"],
  ["currentMemory", "memory"],
  ["vcpus", "vcpu"],
  ["iothreadids", "iothreads"],
  ["defaultiothread", "iothreads"],
  ["blkiotune", "tuning"],
  ["memtune", "tuning"],
  ["resource", "tuning"],
  ["perf", "tuning"],
  ["idmap", "tuning"],
  ["devices/serial", "devices/chardev"],
  ["devices/parallel", "devices/chardev"],
  ["devices/console", "devices/chardev"],
  ["devices/channel", "devices/chardev"],
  ["devices/interface", "devices/network"],
  ["devices/redirfilter", "devices/redirdev"],
]);
