import { SvirtError } from "../errors.ts";
import { isList, parseArguments } from "./arguments/parse-arguments.ts";
import type { CommandSpec } from "./command.ts";

/**
 * Effect of a command on the host. A `local` command needs the host itself: it runs a program of the user's choice or
 * calls svirt again. A command with `readsWith` counts as reading if no operands and options other than these are given:
 * `name` with any value, `name=value` with that one.
 */
export type Access = "reads" | "changes" | "local" | { readonly readsWith: readonly string[] };

/** Operands and options with which a command shows its settings without changing them. */
const SHOWN = ["domain", "live", "config", "current", "json"];

/** Effect of each command, for restricted keys (`svirt shell`). They must not call a command that is not listed. */
export const ACCESS: ReadonlyMap<string, Access> = new Map<string, Access>([
  ...listed(
    "reads",
    "audit capabilities cpu-baseline cpu-compare cpu-models cpu-stats doctor domblkerror domblkinfo domblklist domblkstat domcontrol domdisplay " +
      "domid domif-getlink domiflist domifstat dominfo domjobinfo domname domstate domstats domuuid " +
      "domxml-to-native event explain freecell freepages hostname iface-dumpxml iface-list iface-mac iface-name " +
      "iothreadinfo list managedsave-dumpxml maxvcpus net-dhcp-leases net-dumpxml net-event net-info net-list net-name net-port-dumpxml " +
      "net-port-list net-uuid node-memory-tune nodecpumap nodecpustats nodedev-dumpxml nodedev-event nodedev-info nodedev-list nodeinfo " +
      "nodememstats nwfilter-binding-dumpxml nwfilter-binding-list nwfilter-dumpxml nwfilter-list plan pool-capabilities pool-dumpxml pool-event pool-info pool-list pool-name pool-uuid " +
      "save-image-dumpxml secret-dumpxml secret-event secret-list snapshot-dumpxml snapshot-info snapshot-list " +
      "snapshot-parent sysinfo ttyconsole uri validate vcpuinfo version vncdisplay vol-dumpxml " +
      "vol-info vol-key vol-list vol-name vol-path vol-pool",
  ),
  ["label show", "reads"],
  ["vcpupin", { readsWith: [...SHOWN, "vcpu"] }],
  ["emulatorpin", { readsWith: SHOWN }],
  ["schedinfo", { readsWith: SHOWN }],
  ["memtune", { readsWith: SHOWN }],
  ["blkiotune", { readsWith: SHOWN }],
  ["blkdeviotune", { readsWith: [...SHOWN, "device"] }],
  ["domiftune", { readsWith: [...SHOWN, "interface"] }],
  ["perf", { readsWith: SHOWN }],
  ["numatune", { readsWith: SHOWN }],
  ["desc", { readsWith: [...SHOWN, "title"] }],
  ["snapshot-current", { readsWith: ["domain", "name", "security-info", "json"] }],
  ["blockjob", { readsWith: ["domain", "path", "info", "bytes", "raw", "json"] }],
  // --source=agent would send a command to the guest's agent. virDomainInterfaceAddresses() of libvirt
  ["domifaddr", { readsWith: ["domain", "interface", "full", "source=lease", "source=arp", "json"] }],
  // --emulatorbin would run another program.
  ["domcapabilities", { readsWith: ["virttype", "arch", "machine", "json"] }],
  [
    "hypervisor-cpu-compare",
    { readsWith: ["file", "virttype", "arch", "machine", "error", "validate", "json"] },
  ],
  [
    "hypervisor-cpu-baseline",
    { readsWith: ["file", "virttype", "arch", "machine", "model", "features", "migratable", "json"] },
  ],
  // --guest would ask the guest's agent.
  ["vcpucount", { readsWith: [...SHOWN, "maximum", "active"] }],
  // Refused to connections for reading, as by libvirt: --migratable and --security-info.
  ["dumpxml", { readsWith: ["domain", "inactive", "update-cpu", "json"] }],
  ["metadata", { readsWith: [...SHOWN, "uri"] }],
  ["net-desc", { readsWith: ["network", "live", "config", "current", "title"] }],
  ["net-metadata", { readsWith: ["network", "live", "config", "current", "uri"] }],
  // With --period it sets one. virDomainSetMemoryStatsPeriod() of libvirt
  ["dommemstat", { readsWith: SHOWN }],
  ...listed(
    "changes",
    "attach-device attach-disk attach-interface autostart blockcommit blockcopy blockpull blockresize " +
      "change-media console create define destroy detach-device detach-device-alias detach-disk detach-interface domfsfreeze " +
      "domfsinfo domfsthaw domfstrim domhostname domif-setlink domjobabort dompmwakeup domrename domtime dump " +
      "find-storage-pool-sources find-storage-pool-sources-as get-user-sshkeys guest-agent-timeout guestinfo guestvcpus inject-nmi " +
      "iothreadadd iothreaddel iothreadpin iothreadset " +
      "managedsave managedsave-define managedsave-remove net-autostart net-create net-create-default net-define net-destroy " +
      "net-start net-undefine net-update nodedev-detach nodedev-reattach nodedev-reset nwfilter-define nwfilter-undefine pool-autostart " +
      "pool-build pool-create pool-create-as pool-define pool-define-as pool-delete pool-destroy pool-refresh " +
      "pool-start pool-undefine qemu-agent-command qemu-monitor-command reap reboot recover reset restore " +
      "resume save save-image-define screenshot secret-define secret-get-value secret-set-value secret-undefine send-key " +
      "set-lifecycle-action set-user-password set-user-sshkeys setmaxmem setmem setvcpu setvcpus shutdown snapshot-create " +
      "snapshot-create-as snapshot-delete snapshot-revert start suspend undefine update-device vol-clone " +
      "vol-create vol-create-as vol-create-from vol-delete vol-download vol-resize vol-upload vol-wipe",
  ),
  ["label release", "changes"],
  ["label restore", "changes"],
  ["label set", "changes"],
  ...listed(
    "local",
    "edit managedsave-edit net-edit nwfilter-edit pool-edit save-image-edit shell virt-ssh-helper",
  ),
]);

/** Throws "denied" if a restricted key is not permitted to call a command with these arguments. */
export function checkAccess(spec: CommandSpec, words: readonly string[], allowed: "reads" | "changes"): void {
  const access = ACCESS.get(spec.name) ?? "local";
  if (access === "local") {
    throw denied(`run svirt ${spec.name}`, "it requires a key with a shell", "Use a key with a shell.");
  }
  if (allowed === "changes" || access === "reads") return;
  const remedy = "Use a key without --read-only.";
  if (access === "changes") throw denied(`run svirt ${spec.name}`, "this key is read-only", remedy);
  const extra = listGiven(spec, words).find(
    ([name, value]) => ![name, `${name}=${value}`].some((known) => access.readsWith.includes(known)),
  );
  if (extra !== undefined)
    throw denied(`run svirt ${spec.name} with ${extra[0]}`, "this key is read-only", remedy);
}

/** Lists the operands and options that are given. */
function listGiven(spec: CommandSpec, words: readonly string[]): readonly (readonly [string, string])[] {
  const { operands, options, rest } = parseArguments(spec, words);
  const lists = rest.length === 0 ? [] : spec.operands.filter(isList);
  const all = [...operands, ...options, ...lists.map(({ name }) => [name, ""] as const)];
  return all.filter(([name]) => name !== "help");
}

function denied(what: string, why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot ${what}: ${why}`, { kind: "denied", libvirt: "OPERATION_DENIED", remedy });
}

function listed(access: Access, names: string): readonly (readonly [string, Access])[] {
  return names.split(" ").map((name) => [name, access]);
}
