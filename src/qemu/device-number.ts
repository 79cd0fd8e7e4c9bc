/** A device that may have a name of its own. */
interface Named {
  readonly alias?: string;
}

/**
 * The number in the name of a device that has none of its own: how many before it have none either.
 * qemuAssignDeviceRNGAlias() of libvirt and its like, which go on from the highest that is given
 */
export function deviceNumber(family: readonly Named[], index: number): number {
  return family.slice(0, index).filter(({ alias }) => alias === undefined).length;
}

/** The same of an interface: one that is a device of the host is counted among these. qemuAssignDeviceNetAlias() of libvirt */
export function interfaceNumber(
  interfaces: readonly (Named & { readonly type: string })[],
  index: number,
): number {
  const before = interfaces.slice(0, index).filter(({ type }) => type !== "hostdev");
  return deviceNumber(before, before.length);
}
