import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import type { Domain } from "../../domain/domain.ts";
import { NVRAM_FOLDER } from "../../domain/machine/nvram-folder.ts";
import { listResources } from "../../domain/resources/resources.ts";
import { SvirtError } from "../../errors.ts";
import { isTapped } from "../../plan/decide/tap.ts";
import { isSession, type Node } from "../../state/instance.ts";

/**
 * In a session, refuses what takes rights that an ordinary user has not, by its place, before anything is done. What the
 * kernel would refuse him by owner and mode is found where it is looked at. Throws "denied", "unsupported".
 */
export function refusePrivileged(node: Node, domain: Domain): void {
  if (!isSession(node)) return;
  refuseKvm(node, domain);
  for (const [at, found] of domain.devices.interfaces.entries())
    refuseTap(node, found, `/domain/devices/interface[${at + 1}]`);
  if (domain.devices.tpms.some(({ backend }) => backend.type === "emulator"))
    throw onlyRoot("lend /domain/devices/tpm a folder that it cannot leave", "Leave <tpm> out.");
  if (listResources(domain).some(({ kind }) => kind === "shared-folder"))
    throw onlyRoot("label folders as a whole, as /domain/devices/filesystem asks", "Leave <filesystem> out.");
  if (domain.memoryBacking?.locked === true)
    throw onlyRoot("lock memory, as /domain/memoryBacking/locked says", "Leave <locked> out.");
  if (listResources(domain).some((found) => found.kind === "nvram" && found.path.startsWith(NVRAM_FOLDER)))
    throw onlyRoot(`keep variables in ${NVRAM_FOLDER}`, "Write the path of a file of your own into <nvram>.");
}

/** In a session, refuses an interface whose tap would have to be made. Throws "denied". */
export function refuseTap(node: Node, found: NetworkInterface, place: string): void {
  const isThere = !isTapped(found) || (found.type === "ethernet" && found.target?.managed === false);
  if (isThere || !isSession(node)) return;
  throw onlyRoot(`make the tap of ${place}`, TAP_REMEDY);
}

const TAP_REMEDY =
  "Write <interface type='user'/>; or have root make one (ip tuntap add tap0 mode tap user NAME) and write " +
  "<interface type='ethernet'><target dev='tap0' managed='no'/></interface>.";

function refuseKvm({ host }: Node, { type }: Domain): void {
  const kvm = type === "kvm" ? host.inspectFile("/dev/kvm") : undefined;
  if (kvm === undefined || host.mayOpen(kvm.id)) return;
  throw new SvirtError(`Cannot start the guest with KVM: user ${host.getUid()} may not open /dev/kvm`, {
    kind: "denied",
    remedy:
      "Join the group that has it (usermod -aG kvm NAME, and log in anew), or write <domain type='qemu'>.",
  });
}

function onlyRoot(what: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot run the guest: only root can ${what}`, { kind: "denied", remedy });
}
