/**
 * Kinds of objects whose changes are recorded each in a file of its own. A guest's record has the changes of
 * that guest.
 */
export const OBJECT_KINDS = ["domain", "network", "filter", "pool", "secret", "node-device"] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** An object. The key is a UUID, or the address of a device. */
export interface ChangedObject {
  readonly kind: ObjectKind;
  readonly key: string;
}
