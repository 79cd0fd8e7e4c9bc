/**
 * Users that nobody else hands out: systemd leaves 0x70000000 to 0x77ffffff free (https://systemd.io/UIDS-GIDS/). Of
 * root's guests each gets one of its own, so that they are kept apart by ownership too, whatever SELinux does.
 */
const FIRST_UID = 0x70000000;
const UIDS = 0x04000000;

/** The user that is so many after the one that a guest's UUID gives. */
export function guestUser(uuid: string, later: number): number {
  return FIRST_UID + ((Number.parseInt(uuid.replaceAll("-", "").slice(-8), 16) + later) % UIDS);
}

/** Whether that user is one guest's alone: otherwise it is somebody whose guests run as himself. */
export function isGuestUser(uid: number): boolean {
  return uid >= FIRST_UID && uid < FIRST_UID + UIDS;
}
