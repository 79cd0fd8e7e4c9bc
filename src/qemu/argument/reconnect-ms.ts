/** How long QEMU waits before it connects again; 0: it does not. */
export function reconnectMs(
  reconnect: { readonly enabled: boolean; readonly timeoutS?: number } | undefined,
): number | undefined {
  if (reconnect === undefined) return undefined;
  return reconnect.enabled ? (reconnect.timeoutS ?? 0) * 1000 : 0;
}
