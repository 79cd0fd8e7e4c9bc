import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import { virtioKeys } from "../argument/virtio-properties.ts";
import { deviceNumber } from "../device-number.ts";
import type { Guest } from "../model/guest.ts";

/** -object and -device for each cryptographic device. qemuBuildCryptoCommandLine() of libvirt */
export function formatCryptos(guest: Guest): Arguments {
  return guest.devices.cryptos.flatMap(({ address, alias, backend, driver }, index) => {
    const id = alias ?? `crypto${deviceNumber(guest.devices.cryptos, index)}`;
    const object = {
      "qom-type": `cryptodev-backend-${backend.model}`,
      id: `obj${id}`,
      queues: backend.queues,
    };
    return [
      ...jsonArguments("-object", object),
      ...jsonArguments("-device", {
        driver: "virtio-crypto-pci",
        ...virtioKeys(driver),
        cryptodev: `obj${id}`,
        id,
        ...pciKeys(guest, address),
      }),
    ];
  });
}
