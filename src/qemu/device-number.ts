/** A device with an optional alias. */
interface Named {
  readonly alias?: string;
}

/**
 * Returns the number in the default alias of a device: the count of earlier devices without an alias.
 * qemuAssignDeviceRNGAlias() of libvirt and similar functions, which continue from the highest given number
 */
export function deviceNumber(family: readonly Named[], index: number): number {
  return family.slice(0, index).filter(({ alias }) => alias === undefined).length;
}

/**
 * Returns the number in the default alias of an interface. Passed-through interfaces do not count: they are
 * numbered as host devices. qemuAssignDeviceNetAlias() of libvirt
 */
export function interfaceNumber(
  interfaces: readonly (Named & { readonly type: string })[],
  index: number,
): number {
  const before = interfaces.slice(0, index).filter(({ type }) => type !== "hostdev");
  return deviceNumber(before, before.length);
}
