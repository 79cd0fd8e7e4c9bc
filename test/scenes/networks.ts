/** UUID of the network `lan`. */
export const LAN_UUID = "81ff0d90-c91e-6742-64da-4a736edb9acb";

/** Content of a network that is the bridge br0 of the host. */
export const BRIDGE = "<forward mode='bridge'/><bridge name='br0'/>";

/** Returns a network's document; without a UUID, it has none. */
export function networkXml(content: string, name = "lan", uuid?: string): Uint8Array {
  const written = uuid === undefined ? "" : `<uuid>${uuid}</uuid>`;
  return new TextEncoder().encode(`<network><name>${name}</name>${written}${content}</network>`);
}
