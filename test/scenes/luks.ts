import type { Cryptography } from "../../src/images/luks/cryptography.ts";
import type { Instance } from "../../src/state/instance.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { defineSecret } from "../../src/vm/secret/define-secret.ts";
import { setSecretValue } from "../../src/vm/secret/secret-value.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { luksBytes, PAYLOAD } from "../images/luks-bytes.ts";
import type { Machine } from "../memory-host/machine.ts";
import { IMAGES } from "./block.ts";
import { domainXml, makeMachine, nodeOn, ORIGINAL } from "./scene.ts";
import { SECRET_UUID, secretValue } from "./secrets.ts";

/** Passphrase of all encrypted images of a scene. */
export const PASSPHRASE = "geheim und lang";
/** Secret of an image that is made: its name in the XML, by its usage. */
export const LUKS_NAME = { usage: "/luks" };
/** `<encryption>` with that secret. */
export const ENCRYPTION = {
  format: "luks",
  engine: "qemu",
  secrets: [{ type: "passphrase", ...LUKS_NAME }],
} as const;

/** Returns a disk that is a LUKS volume. */
export function luksDisk(target: string, name: string): string {
  return `<disk type='file'><driver name='qemu' type='raw'/><source file='${IMAGES}/${name}.luks'><encryption format='luks'><secret type='passphrase' uuid='${SECRET_UUID}'/></encryption></source><target dev='${target}' bus='virtio'/></disk>`;
}

/**
 * Returns a machine with two LUKS volumes and their secret, on which the default guest is defined with the
 * first and further disks.
 */
export async function machineWithVolume(more = ""): Promise<Machine> {
  const machine = makeMachine();
  const bytes = new Uint8Array(PAYLOAD * 512 + 4096);
  bytes.set(luksBytes());
  for (const name of ["a", "b"])
    machine.files
      .put(`${IMAGES}/${name}.luks`, "file", { bytes: bytes.slice() })
      .xattrs.set("security.selinux", ORIGINAL);
  const secret = `<secret private='yes'><uuid>${SECRET_UUID}</uuid><usage type='volume'><volume>/luks</volume></usage></secret>`;
  await defineSecret(nodeOn(machine), new TextEncoder().encode(secret));
  await setSecretValue(nodeOn(machine), SECRET_UUID, secretValue(PASSPHRASE));
  await defineDomain(nodeOn(machine), domainXml({ disks: luksDisk("vda", "a") + more }));
  return machine;
}

/** Returns that machine, on which the guest runs. */
export async function machineWithLuks(more = ""): Promise<Machine> {
  const machine = await machineWithVolume(more);
  await startDomain(nodeOn(machine), domainXml({ disks: luksDisk("vda", "a") + more }));
  return machine;
}

/**
 * Returns the node with keys that are always the same, and headers that open nothing: each of a hundred
 * deaths would take a second.
 */
export function withQuickKeys(node: Instance): Instance {
  const host = new Proxy(node.host, {
    get: (real, name) => (name === "getCryptography" ? async () => QUICK : Reflect.get(real, name)),
  });
  return { ...node, host };
}

/** Cryptography with keys that open nothing. */
export const QUICK: Cryptography = {
  fillRandom: (bytes) => void bytes.fill(7),
  hash: (name) => new Uint8Array(name === "sha256" ? 32 : 64).fill(5),
  deriveKey: async ({ length }) => new Uint8Array(length).fill(3),
  encryptBlocks: (_, blocks) => blocks.slice(),
};
