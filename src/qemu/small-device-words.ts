import type { Panic } from "../domain/panic.ts";
import { pciKeys } from "./device-bus.ts";
import { deviceNumber } from "./device-number.ts";
import type { Guest } from "./guest.ts";
import { handedName, type Launch } from "./launch.ts";
import { cannotTranslate, devicePath, notSettled } from "./refusal.ts";
import { virtioDriver, virtioKeys } from "./virtio-keys.ts";
import { jsonWords, type Words } from "./words.ts";

/** -device for each way to tell of a crash; Hyper-V's is a part of the processor. qemuBuildPanicCommandLine() of libvirt */
export function formatPanics(guest: Guest): Words {
  return guest.devices.panics.flatMap((panic, index) => {
    const twin = guest.devices.panics.findIndex(({ model }) => model === panic.model);
    if (twin === index) return formatPanic(guest, panic);
    const path = devicePath("panic", index);
    throw cannotTranslate(path, `a guest has one panic device ${panic.model}`, "Remove it.");
  });
}

function formatPanic(guest: Guest, panic: Panic): Words {
  switch (panic.model) {
    case "hyperv":
      return [];
    case "isa":
      return jsonWords("-device", { driver: "pvpanic", ioport: panic.address?.iobase });
    case "pvpanic":
      return jsonWords("-device", { driver: "pvpanic-pci", ...pciKeys(guest, panic.address) });
  }
}

/** -object and -device for the guest's last words. qemuBuildPstoreCommandLine() of libvirt */
export function formatPstore(guest: Guest, launch: Launch | undefined): Words {
  const { pstore } = guest.devices;
  if (pstore === undefined) return [];
  const id = pstore.alias ?? "pstore0";
  const memdev = `mem${id}`;
  return [
    ...jsonWords("-object", {
      "qom-type": "memory-backend-file",
      id: memdev,
      "mem-path": handedName(launch, { path: pstore.path, purpose: "memory", access: "read-write" }),
      size: pstore.sizeKiB * 1024,
      share: true,
    }),
    ...jsonWords("-device", { driver: "acpi-erst", id, memdev, ...pciKeys(guest, pstore.address) }),
  ];
}

/** -device for vsock; its device of the host is handed over. qemuBuildVsockCommandLine() of libvirt */
export function formatVsock(guest: Guest, launch: Launch | undefined): Words {
  const { vsock } = guest.devices;
  if (vsock === undefined) return [];
  const { address, auto } = vsock.cid;
  if (address === undefined || auto === true) {
    const why = "which number it gets is known only at a start";
    throw notSettled("/domain/devices/vsock/cid", why, "Write auto='no' and an address.");
  }
  return jsonWords("-device", {
    driver: virtioDriver("vhost-vsock", vsock.model),
    ...virtioKeys(vsock.driver),
    id: vsock.alias ?? "vsock0",
    "guest-cid": address,
    vhostfd: String(launch?.monitorFd ?? 3),
    ...pciKeys(guest, vsock.address),
  });
}

/** -object and -device for each cryptographic device. qemuBuildCryptoCommandLine() of libvirt */
export function formatCryptos(guest: Guest): Words {
  return guest.devices.cryptos.flatMap(({ address, alias, backend, driver }, index) => {
    const id = alias ?? `crypto${deviceNumber(guest.devices.cryptos, index)}`;
    const object = {
      "qom-type": `cryptodev-backend-${backend.model}`,
      id: `obj${id}`,
      queues: backend.queues,
    };
    return [
      ...jsonWords("-object", object),
      ...jsonWords("-device", {
        driver: "virtio-crypto-pci",
        ...virtioKeys(driver),
        cryptodev: `obj${id}`,
        id,
        ...pciKeys(guest, address),
      }),
    ];
  });
}
