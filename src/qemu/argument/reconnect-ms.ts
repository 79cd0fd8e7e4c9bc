/** Returns the time until QEMU reconnects, in ms; 0: never. */
export function reconnectMs(
  reconnect: { readonly enabled: boolean; readonly timeoutS?: number } | undefined,
): number | undefined {
  if (reconnect === undefined) return undefined;
  return reconnect.enabled ? (reconnect.timeoutS ?? 0) * 1000 : 0;
}
