import { pciKeys } from "./device-bus.ts";
import { deviceNumber } from "./device-number.ts";
import type { Guest } from "./guest.ts";
import { virtioKeys } from "./virtio-keys.ts";
import { jsonWords, type Words } from "./words.ts";

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
