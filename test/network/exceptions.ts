/**
 * Recorded networks of which svirt's outcome differs from libvirt's, by folder and name, each with the
 * reason. Empty: no recorded network was compared yet, since the data beside the checkout has none.
 */
export const EXCEPTIONS: ReadonlyMap<string, string> = new Map();
