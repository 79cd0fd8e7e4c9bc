import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import type { Domain } from "../../domain/domain.ts";
import { NVRAM_FOLDER } from "../../domain/machine/nvram-folder.ts";
import { listResources } from "../../domain/resources/resources.ts";
import { errorsOf, SvirtError, throwErrors } from "../../errors.ts";
import { isTapped } from "../../plan/decide/tap.ts";
import { type Instance, isSession } from "../../state/instance.ts";

// Rule: In a session, settings that need root's rights are refused.

/**
 * In a session, refuses settings that need root's rights, before any change, and names their place.
 * Inspection of files reports the kernel's refusals by owner and mode. Throws "denied", "unsupported".
 */
export function refusePrivileged(instance: Instance, domain: Domain): void {
  if (!isSession(instance)) return;
  const resources = listResources(domain);
  const refuseIf = (isAsked: boolean, refusal: () => SvirtError): readonly SvirtError[] =>
    isAsked ? [refusal()] : [];
  throwErrors([
    ...errorsOf(() => refuseKvm(instance, domain)),
    ...domain.devices.interfaces.flatMap((found, at) =>
      errorsOf(() => refuseTap(instance, found, `/domain/devices/interface[${at + 1}]`)),
    ),
    ...refuseIf(
      domain.devices.tpms.some(({ backend }) => backend.type === "emulator"),
      () =>
        onlyRoot("confine the emulator of /domain/devices/tpm to a folder", {
          place: "/domain/devices/tpm",
          remedy: "Leave <tpm> out.",
        }),
    ),
    ...refuseIf(
      resources.some(({ kind }) => kind === "shared-folder"),
      () =>
        onlyRoot("label whole folders for /domain/devices/filesystem", {
          place: "/domain/devices/filesystem",
          remedy: "Leave <filesystem> out.",
        }),
    ),
    ...refuseIf(domain.memoryBacking?.locked === true, () =>
      onlyRoot("lock memory for /domain/memoryBacking/locked", {
        place: "/domain/memoryBacking/locked",
        remedy: "Leave <locked> out.",
      }),
    ),
    ...refuseIf(
      resources.some((found) => found.kind === "nvram" && found.path.startsWith(NVRAM_FOLDER)),
      () =>
        onlyRoot(`store UEFI variables in ${NVRAM_FOLDER}`, {
          place: "/domain/os/nvram",
          remedy: "Write the path of a file that you own into <nvram>.",
        }),
    ),
  ]);
}

/** In a session, refuses an interface whose tap svirt would have to create or to filter. Throws "denied". */
export function refuseTap(instance: Instance, found: NetworkInterface, place: string): void {
  if (!isSession(instance)) return;
  const isThere = !isTapped(found) || (found.type === "ethernet" && found.target?.managed === false);
  if (found.filterref !== undefined) {
    const at = `${place}/filterref`;
    throw onlyRoot(`filter the frames of ${place}`, { place: at, remedy: "Leave <filterref> out." });
  }
  if (isThere) return;
  throw onlyRoot(`create the tap of ${place}`, { place, remedy: TAP_REMEDY });
}

const TAP_REMEDY =
  "Write <interface type='user'/>; or have root create a tap (ip tuntap add tap0 mode tap user NAME) and write " +
  "<interface type='ethernet'><target dev='tap0' managed='no'/></interface>.";

function refuseKvm({ host }: Instance, { type }: Domain): void {
  const kvm = type === "kvm" ? host.inspectFile("/dev/kvm") : undefined;
  if (kvm === undefined || host.mayOpen(kvm.id)) return;
  throw new SvirtError(`Cannot start the guest with KVM: user ${host.getUid()} may not open /dev/kvm`, {
    kind: "denied",
    place: "/domain/@type",
    remedy:
      "Join the group of /dev/kvm (usermod -aG kvm NAME, then log in again), or write <domain type='qemu'>.",
  });
}

function onlyRoot(what: string, at: { readonly place: string; readonly remedy: string }): SvirtError {
  return new SvirtError(`Cannot run the guest: only root can ${what}`, { kind: "denied", ...at });
}
