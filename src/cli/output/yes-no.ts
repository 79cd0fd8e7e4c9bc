/** Formats a fact as virsh does. */
export function yesNo(is: boolean): string {
  return is ? "yes" : "no";
}
