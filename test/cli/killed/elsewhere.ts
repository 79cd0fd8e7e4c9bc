/** Commands whose kills a test of their own tries, since they need more than a command line. */
export const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["blockcommit", "vm/long/killed-block.test.ts"],
  ["blockcopy", "vm/long/killed-block.test.ts"],
  ["blockpull", "vm/long/killed-block.test.ts"],
  ["blockjob", "vm/long/killed-block.test.ts"],
  ["change-media", "vm/long/killed-change.test.ts"],
  ["detach-device-alias", "vm/long/killed-change.test.ts"],
  ["recover", "vm/recover/long/killed.test.ts"],
  ["domfsfreeze", "vm/guest-system/quiet-guest.test.ts"],
  ["domfsthaw", "vm/guest-system/quiet-guest.test.ts"],
  ["vol-create-from", "vm/volume/long/killed-calls.test.ts"],
  ["vol-upload", "vm/volume/long/killed-calls.test.ts"],
  ["vol-wipe", "vm/volume/long/killed-calls.test.ts"],
  ["pool-refresh", "vm/pool/mounted/killed-mounted.test.ts"],
]);

/**
 * Commands of which nothing lasts that a kill could leave half done, with the reason: one command to QEMU or
 * to the guest's agent, one write to a file of the kernel, or only an answer.
 */
export const LASTING_NOTHING: ReadonlyMap<string, string> = new Map([
  ...listed(
    "one command to QEMU, which carries it out or not",
    "reset dompmwakeup inject-nmi send-key blockresize qemu-monitor-command dommemstat perf",
  ),
  ...listed(
    "one command to the guest's agent, which carries it out or not",
    "domtime domhostname domfsinfo guestvcpus guestinfo domfstrim set-user-password get-user-sshkeys set-user-sshkeys qemu-agent-command domifaddr vcpucount",
  ),
  ...listed("a request in the guest's record, in one write, and one command to QEMU", "shutdown reboot"),
  ...listed("one field of the guest's record, in one write", "guest-agent-timeout"),
  ...listed(
    "asks the call that carries out the job, by one empty file that this call removes",
    "domjobabort",
  ),
  ...listed("a picture in the guest's folder, which is removed with it", "screenshot"),
  ...listed("one call of the kernel: the device is reset or not", "nodedev-reset"),
  ...listed(
    "only an answer, or a connection",
    "console cpu-baseline cpu-compare domxml-to-native explain managedsave-dumpxml plan save-image-dumpxml snapshot-dumpxml validate dumpxml domcapabilities hypervisor-cpu-compare hypervisor-cpu-baseline secret-get-value vol-download find-storage-pool-sources find-storage-pool-sources-as shell virt-ssh-helper",
  ),
  ...listed(
    "single atomic write: one file is replaced by one rename",
    "save-image-define save-image-edit managedsave-define managedsave-edit",
  ),
  ...listed(
    "single atomic write: the configuration of one thread in the definition, as iothreadadd",
    "iothreadpin iothreadset",
  ),
  ...listed(
    "one label in one call of the kernel, and its attributes, of which label restore makes use",
    "label set|label restore|label release",
    "|",
  ),
]);

function listed(why: string, names: string, separator = " "): readonly (readonly [string, string])[] {
  return names.split(separator).map((name) => [name, why]);
}
