/**
 * First user ID of guests: systemd leaves 0x70000000 to 0x77ffffff free (https://systemd.io/UIDS-GIDS/). Each
 * guest of root gets its own user, so that ownership separates guests too, independently of SELinux.
 */
const FIRST_UID = 0x70000000;
const UIDS = 0x04000000;

/**
 * User of programs that only report, such as a QEMU that describes itself: beyond the guests' IDs, and
 * without files.
 */
export const PROBE_USER: number = FIRST_UID + UIDS;

/** Returns the user ID `later` places after the ID given by the guest's UUID. */
export function guestUser(uuid: string, later: number): number {
  return FIRST_UID + ((Number.parseInt(uuid.replaceAll("-", "").slice(-8), 16) + later) % UIDS);
}

/**
 * Reports whether a user ID belongs to a single guest. In a session, all guests have the ID of their user.
 */
export function isGuestUser(uid: number): boolean {
  return uid >= FIRST_UID && uid < FIRST_UID + UIDS;
}
