import type { Machine } from "../memory-host/machine.ts";
import { makeMachine, putText } from "./scene.ts";

/** UID of an ordinary user. */
export const USER = 1000;
export const HOME = "/home/alice";
/** Original label of the user's files. */
export const HOME_LABEL = "unconfined_u:object_r:user_home_t:s0";
const IMAGES = `${HOME}/.local/share/libvirt/images`;
export const DISK = `${IMAGES}/disk.raw`;
export const STATE = `${HOME}/.local/state/svirt`;

/** Returns the machine of scene.ts with a user who has a disk. */
export function makeUsersMachine(): Machine {
  const machine = makeMachine();
  addUser(machine);
  const { files } = machine;
  files
    .put(DISK, "file", { uid: USER, bytes: new Uint8Array(4096) })
    .xattrs.set("security.selinux", HOME_LABEL);
  return machine;
}

/** Adds a user who has logged in to the machine. From then on svirt runs as that user. */
export function addUser(machine: Machine): void {
  putText(
    machine,
    "/etc/passwd",
    `root:x:0:0::/root:/bin/sh\nalice:x:${USER}:100:Alice:${HOME}:/bin/sh\nbob:x:1001:100::/home/bob:/bin/sh\n`,
  );
  machine.files.putFolder(HOME).xattrs.set("security.selinux", "unconfined_u:object_r:user_home_dir_t:s0");
  for (const path of [`${HOME}/.config`, `${HOME}/.local/state`, IMAGES])
    machine.files.putFolder(path).xattrs.set("security.selinux", HOME_LABEL);
  logIn(machine);
  machine.uid = USER;
}

/** Creates the folders that systemd makes at the first login after a boot. */
export function logIn({ files }: Machine): void {
  files.putFolder("/run/user");
  files.put(`/run/user/${USER}`, "folder", { mode: 0o700, uid: USER });
}
