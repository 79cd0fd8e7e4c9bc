/** Limits in bytes: of vmlinuz and initrd together, and of the CD. */
export const BUDGETS: ReadonlyMap<string, { readonly pxe: number; readonly cd: number }> = new Map([
  ["lean", { pxe: 60_000_000, cd: 64_000_000 }],
  ["full", { pxe: 64_000_000, cd: 64_000_000 }],
]);
