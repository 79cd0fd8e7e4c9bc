import type { Controller } from "../../domain/devices/controller.ts";
import type { Devices } from "../../domain/devices.ts";
import type { Domain } from "../../domain/domain.ts";
import type { PciAddress } from "../../domain/forms/address.ts";
import type { Machine } from "./machine.ts";

/** A domain with nothing left to be decided: every device that QEMU gets is there, each with its address. */
export interface Guest {
  readonly domain: Domain;
  readonly machine: Machine;
  readonly devices: Devices;
}

/** A controller of one type. */
export type ControllerOf<T extends Controller["type"]> = Extract<Controller, { readonly type: T }>;

/** The controllers of one type, in their order. */
export function controllersOf<T extends Controller["type"]>(
  devices: Devices,
  type: T,
): readonly ControllerOf<T>[] {
  return devices.controllers.filter((found): found is ControllerOf<T> => found.type === type);
}

/** A PCI address with its zeros filled in. */
export interface PciPlace {
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
}

/** Where on the PCI buses it is; parts that are not written are 0. */
export function pciPlace(address: PciAddress): PciPlace {
  return { bus: address.bus ?? 0, slot: address.slot ?? 0, function: address.function ?? 0 };
}
