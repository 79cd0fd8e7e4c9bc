import type { Devices } from "../../../domain/devices.ts";
import type { PciAddress } from "../../../domain/forms/address.ts";
import { pciPlace } from "../../model/guest.ts";
import { mapAddresses } from "./defaults.ts";

/**
 * Sets multifunction on function 0 of a slot with several functions, unless the XML has a value.
 * virDomainPCIAddressSetAllMulti() of libvirt
 */
export function addMultifunction(devices: Devices): Devices {
  const shared = new Set<string>();
  mapAddresses(devices, (address) => {
    if (isPci(address) && pciPlace(address).function > 0) shared.add(slotOf(address));
    return address;
  });
  return mapAddresses(devices, (address) => {
    if (!isPci(address) || address.multifunction !== undefined) return address;
    const isFirst = pciPlace(address).function === 0 && shared.has(slotOf(address));
    return isFirst ? { ...address, multifunction: true } : address;
  });
}

function isPci(address: { readonly type: string }): address is PciAddress {
  return address.type === "pci";
}

function slotOf(address: PciAddress): string {
  const { bus, slot } = pciPlace(address);
  return `${bus}.${slot}`;
}
