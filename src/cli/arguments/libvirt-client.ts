/** Call of virt-ssh-helper by a client of libvirt. */
export interface HelperCall {
  readonly uri: string;
  /** Whether the client asks for a read-only connection. */
  readonly isForReading: boolean;
}

/** Probe for the program, with which a client begins if its URI does not choose how it connects. */
const PROBE = String.raw`which virt-ssh-helper 1>/dev/null 2>&1; if test \$\? = 0; then +`;
/** Call for a node without the program, by netcat. svirt runs no part of it. */
const FALLBACK = "; else .{0,4096}; fi";
const CHARACTERS = String.raw`[^'"\\]{0,1024}`;
/**
 * The URI in the quotes of libvirt's client, in its doubled quotes for characters of a shell such as `?`, and
 * in the quotes of the Terraform provider.
 */
const URI = [`'''\\\\''(${CHARACTERS})'\\\\''''`, `'(${CHARACTERS})'`, `"(${CHARACTERS})"`].join("|");
const HELPER = `virt-ssh-helper( -r)? (?:${URI})`;
const COMMANDS = [
  new RegExp(`^sh -c '(?:${PROBE}${HELPER}${FALLBACK})'$`),
  new RegExp(`^sh -c '${HELPER}'$`),
  new RegExp(`^${HELPER}$`),
];

/**
 * Reads the command that a client of libvirt sends over SSH; undefined for any other.
 * virNetClientSSHHelperCommand() of libvirt
 */
export function parseHelperCall(asked: string): HelperCall | undefined {
  for (const form of COMMANDS) {
    const found = form.exec(asked);
    if (found === null) continue;
    const [, reads, doubled, single, double] = found;
    return { uri: doubled ?? single ?? double ?? "", isForReading: reads !== undefined };
  }
  return undefined;
}
