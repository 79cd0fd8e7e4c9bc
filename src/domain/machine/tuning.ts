import { checked, element, refused } from "../../xml/element.ts";
import { attribute, child, children, required, textOf } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, matching, oneOf, yesNo } from "../../xml/value-form.ts";
import { sizeInKiB } from "../forms/memory-size.ts";
import { absolutePath } from "../forms/text.ts";

const weight = integer(100, 1000);
const operations = integer(0, 2 ** 32 - 1);
const bytes = integer(0, Number.MAX_SAFE_INTEGER);

const device = element("device", () => ({
  path: required(textOf("path", absolutePath)),
  weight: textOf("weight", weight),
  readOperations: textOf("read_iops_sec", operations),
  writeOperations: textOf("write_iops_sec", operations),
  readBytes: textOf("read_bytes_sec", bytes),
  writeBytes: textOf("write_bytes_sec", bytes),
}));

/**
 * `<blkiotune>`: the guest's share of the host's disks. A device is only named there, not opened.
 * https://libvirt.org/formatdomain.html#block-i-o-tuning
 */
export const blkiotune = checked(
  element("blkiotune", () => ({ weight: textOf("weight", weight), devices: children(device) })),
  // virDomainDefTunablesValidate() of libvirt
  ({ devices }, node) => {
    const paths = devices.map(({ path }) => path);
    const twice = paths.find((path, at) => paths.indexOf(path) < at);
    if (twice === undefined) return;
    throw notUnderstood({ node, place: "device" }, `${twice} is listed twice`, "Leave one of them out.");
  },
);

/** Bounds of a limit, up to no limit at all. VIR_DOMAIN_MEMORY_PARAM_UNLIMITED of libvirt */
const limit = { least: 0, mostKiB: Number.MAX_SAFE_INTEGER };

/** `<memtune>`: limits of QEMU's memory, https://libvirt.org/formatdomain.html#memory-tuning */
export const memtune = element(
  "memtune",
  () => ({
    hardLimitKiB: sizeInKiB("hard_limit", limit),
    softLimitKiB: sizeInKiB("soft_limit", limit),
    swapHardLimitKiB: sizeInKiB("swap_hard_limit", limit),
  }),
  [refused("min_guarantee", "it is for another hypervisor")],
);

const fibrechannel = element("fibrechannel", () => ({
  appid: required(attribute("appid", matching(/^[ -~]{1,128}$/, "1 to 128 printable characters"))),
}));

/**
 * `<resource>`: the control group of the guest, https://libvirt.org/formatdomain.html#resource-partitioning
 */
export const resource = element("resource", () => ({
  partition: textOf("partition", absolutePath),
  fibrechannel: child(fibrechannel),
}));

/** Events counted by a host, in libvirt's order. virPerfEvent of libvirt's virperf.c */
export const PERF_EVENTS = [
  "cmt",
  "mbmt",
  "mbml",
  "cpu_cycles",
  "instructions",
  "cache_references",
  "cache_misses",
  "branch_instructions",
  "branch_misses",
  "bus_cycles",
  "stalled_cycles_frontend",
  "stalled_cycles_backend",
  "ref_cpu_cycles",
  "cpu_clock",
  "task_clock",
  "page_faults",
  "context_switches",
  "cpu_migrations",
  "page_faults_min",
  "page_faults_maj",
  "alignment_faults",
  "emulation_faults",
] as const;

/**
 * `<perf>`: events counted by the host for the guest,
 * https://libvirt.org/formatdomain.html#performance-monitoring-events
 */
export const perf = element("perf", () => ({
  events: children(
    element("event", () => ({
      name: required(attribute("name", oneOf(...PERF_EVENTS))),
      enabled: required(attribute("enabled", yesNo)),
    })),
  ),
}));

const userNumber = integer(0, 2 ** 32 - 1);
const mapping = {
  start: required(attribute("start", userNumber)),
  target: required(attribute("target", userNumber)),
  count: required(attribute("count", userNumber)),
};

/**
 * `<idmap>`: user numbers of a container; a virtual machine has its own.
 * https://libvirt.org/formatdomain.html#container-boot
 */
export const idmap = checked(
  element("idmap", () => ({
    users: children(element("uid", () => mapping)),
    groups: children(element("gid", () => mapping)),
  })),
  // virDomainDefIdMapValidate() of libvirt
  ({ users, groups }, node) => {
    const [user, group] = [users[0] ?? groups[0], groups[0] ?? users[0]];
    if (users.length > 0 === groups.length > 0 && (user?.start ?? 0) === 0 && (group?.start ?? 0) === 0)
      return;
    throw notUnderstood({ node }, "it must map users and groups, each from 0", "Write uid and gid from 0.");
  },
);
