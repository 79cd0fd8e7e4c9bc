import type { Controller } from "../../domain/devices/controller.ts";
import type { Devices } from "../../domain/devices.ts";
import type { Domain } from "../../domain/domain.ts";
import type { PciAddress } from "../../domain/forms/address.ts";
import type { Machine } from "./machine.ts";

/** A completed domain: it has every device that QEMU gets, each with its address. */
export interface Guest {
  readonly domain: Domain;
  readonly machine: Machine;
  readonly devices: Devices;
}

/** A controller of a type. */
export type ControllerOf<T extends Controller["type"]> = Extract<Controller, { readonly type: T }>;

/** Returns the controllers of a type, in their order. */
export function controllersOf<T extends Controller["type"]>(
  devices: Devices,
  type: T,
): readonly ControllerOf<T>[] {
  return devices.controllers.filter((found): found is ControllerOf<T> => found.type === type);
}

/** A PCI address without optional parts. */
export interface PciPlace {
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
}

/** Returns the bus, slot and function of an address; missing parts are 0. */
export function pciPlace(address: PciAddress): PciPlace {
  return { bus: address.bus ?? 0, slot: address.slot ?? 0, function: address.function ?? 0 };
}
