/** A message of the kernel about a device. */
export interface Uevent {
  readonly action: string;
  /** Folder of the device in sysfs. */
  readonly path: string;
}

/** Reads the first line of a message; undefined if it is no kernel's. kobject_uevent_env() in linux.git lib/kobject_uevent.c */
export function parseUevent(bytes: Uint8Array): Uevent | undefined {
  const end = bytes.indexOf(0);
  if (end < 0) return undefined;
  const [, action, path] =
    /^([a-z]+)@(\/[^\n]*)$/.exec(new TextDecoder().decode(bytes.subarray(0, end))) ?? [];
  return action === undefined || path === undefined ? undefined : { action, path: `/sys${path}` };
}
