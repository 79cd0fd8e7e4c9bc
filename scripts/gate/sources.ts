/**
 * Test files that a change of a source folder touches, by their path below test/ without `.test.ts`. The
 * longest matching prefix of a changed path counts. The map names the files most likely to fail; every other
 * file follows in its turn.
 */
export const SOURCES: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["src/access/", ["node/callers", "node/key-places", "node/libvirt-client"]],
  ["src/cli/", ["node/commands", "node/session", "node/queries"]],
  ["src/cli/commands/filter/", ["node/network-filter"]],
  ["src/cli/commands/network/", ["node/network", "node/network-bandwidth"]],
  ["src/cli/commands/node-device/", ["node/nodedev", "node/vfio"]],
  ["src/cli/commands/pool/", ["node/pools", "node/storage", "node/pool-mounts"]],
  ["src/cli/commands/snapshot/", ["node/snapshots", "node/snapshot-list"]],
  ["src/cli/commands/volume/", ["node/storage", "node/volume-copies"]],
  ["src/domain/", ["node/families", "node/shapes", "node/devices"]],
  ["src/host/", ["node/launch", "node/limits", "node/labels", "node/ends"]],
  [
    "src/host/linux/network/",
    ["node/network", "node/guest-network", "node/macvtaps", "node/open-vswitch", "node/network-bandwidth"],
  ],
  ["src/images/", ["node/volume-copies", "node/snapshots", "node/storage", "node/devices"]],
  ["src/label/", ["node/labels", "node/explain", "node/places", "node/peers"]],
  ["src/labelling/", ["node/labels", "node/explain", "node/places", "node/contexts"]],
  ["src/main.ts", ["node/commands", "node/session"]],
  ["src/errors.ts", ["node/commands", "node/libvirt-client"]],
  ["src/virterror.ts", ["node/commands", "node/libvirt-client"]],
  ["src/network/", ["node/network", "node/guest-network", "node/network-bandwidth", "node/open-vswitch"]],
  ["src/host/linux/probe/", ["node/probes", "node/queries"]],
  ["src/network/filter/", ["node/network-filter", "node/network-hostile"]],
  ["src/plan/", ["node/long/killed-anywhere", "node/ends", "node/labels"]],
  ["src/qemu/", ["node/families", "node/shapes", "node/hotplug", "node/channels", "node/resources"]],
  ["src/registry/", ["node/long/levels", "node/long/vectors", "node/long/killed-anywhere"]],
  ["src/report/", ["node/commands", "node/contexts", "node/queries"]],
  ["src/resolve/", ["node/devices", "node/stable-names", "node/udev", "node/labels"]],
  [
    "src/rpc/",
    [
      "node/libvirt-client",
      "node/client-events",
      "node/client-streams",
      "node/callers",
      "node/clients/libraries",
    ],
  ],
  ["src/run/", ["node/long/killed-anywhere", "node/ends", "node/labels", "node/limits"]],
  ["src/secret/", ["node/devices", "node/commands"]],
  ["src/selinux/", ["node/labels", "node/long/levels", "node/contexts", "node/explain"]],
  ["src/state/", ["node/long/killed-anywhere", "node/ends", "node/long/reboot", "node/rename"]],
  ["src/state/pools/", ["node/pools", "node/long/pool-power"]],
  ["src/state/snapshots/", ["node/snapshots", "node/snapshot-list"]],
  ["src/storage/", ["node/storage", "node/pools", "node/pool-mounts", "node/pool-logical"]],
  ["src/vm/", ["node/ends", "node/hotplug", "node/labels", "node/transient"]],
  ["src/vm/agent/", ["node/channels"]],
  ["src/vm/audit/", ["node/labels", "node/contexts"]],
  ["src/vm/block/", ["node/snapshots", "node/commands"]],
  ["src/vm/events/", ["node/client-events"]],
  ["src/vm/explain/", ["node/explain"]],
  [
    "src/vm/network/",
    ["node/network", "node/guest-network", "node/network-bandwidth", "node/open-vswitch", "node/macvtaps"],
  ],
  ["src/vm/node-device/", ["node/nodedev", "node/vfio"]],
  [
    "src/vm/pool/",
    [
      "node/pools",
      "node/pool-mounts",
      "node/pool-logical",
      "node/iscsi",
      "node/multipath",
      "node/nfs3",
      "node/long/pool-power",
    ],
  ],
  ["src/vm/recover/", ["node/long/killed-anywhere", "node/long/reboot", "node/ends"]],
  ["src/vm/save/", ["node/save"]],
  ["src/vm/screen/", ["node/clients/screens"]],
  ["src/vm/snapshot/", ["node/snapshots", "node/snapshot-list"]],
  [
    "src/vm/start/",
    ["node/launch", "node/own-mounts", "node/virtiofs", "node/shared-folders", "node/resources"],
  ],
  ["src/vm/volume/", ["node/storage", "node/volume-copies", "node/pools", "node/file-formats"]],
  ["src/xml/", ["node/families", "node/shapes"]],
  ["image/policy/", ["node/contexts", "node/labels", "node/places", "node/peers", "node/long/policy-needs"]],
  ["image/", ["node/contexts", "node/long/reboot"]],
  ["README.md", ["readme/readme"]],
  ["scripts/demo", ["readme/readme"]],
]);

/** Reports whether a change of the path touches the test file: by the map, or because test/ mirrors src/. */
export function isTouchedBy(path: string, file: string): boolean {
  const prefixes = [...SOURCES.keys()].filter((prefix) => path.startsWith(prefix));
  const longest = prefixes.toSorted((one, other) => other.length - one.length)[0] ?? "";
  const isMapped = SOURCES.get(longest)?.some((name) => `test/${name}.test.ts` === file) === true;
  return isMapped || (topOf(path, "src") !== undefined && topOf(path, "src") === topOf(file, "test"));
}

/** Returns `vm` for `src/vm/...` below `src`. */
function topOf(path: string, root: string): string | undefined {
  const [first, top, ...rest] = path.split("/");
  return first === root && rest.length > 0 ? top : undefined;
}
