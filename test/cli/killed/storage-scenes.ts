import { defineFilter as defineFilterOf } from "../../../src/vm/network/define-filter.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { startPool } from "../../../src/vm/pool/start-pool.ts";
import { defineSecret } from "../../../src/vm/secret/define-secret.ts";
import { setSecretValue } from "../../../src/vm/secret/secret-value.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { machineWith as machineWithGroup, make } from "../../scenes/logical.ts";
import { IMAGES_UUID, poolXml, TARGET } from "../../scenes/pools.ts";
import { makeMachine, nodeOn, putText } from "../../scenes/scene.ts";
import { SECRET_UUID, secretValue, secretXml } from "../../scenes/secrets.ts";
import type { Work } from "../../scenes/strikes.ts";
import type { Scene } from "./strike-command.ts";

const FILE = "/srv/pool.xml";
const XML = poolXml(TARGET, { uuid: IMAGES_UUID });
const EPHEMERAL = secretXml({ attributes: "ephemeral='yes'" });
const FILTER = `<filter name='one' chain='root'><uuid>${IMAGES_UUID}</uuid><rule action='accept' direction='in' priority='500'/></filter>`;
const defineFilter: Work = (node) => defineFilterOf(node, new TextEncoder().encode(FILTER));
const defineOwnSecret: Work = (node) => defineSecret(node, secretXml());
const defineEphemeral: Work = (node) => defineSecret(node, EPHEMERAL);
const setValue: Work = (node) => setSecretValue(node, SECRET_UUID, secretValue("geheim"));
const define: Work = (node) => definePool(node, XML);
const start: Work = (node) => startPool(node, "images", { isBuilt: false });

function after(...works: readonly Work[]): () => Promise<Machine> {
  return async () => {
    const machine = makeMachine();
    machine.files.putFolder(TARGET);
    putText(machine, FILE, new TextDecoder().decode(XML));
    putText(machine, "/srv/secret.xml", new TextDecoder().decode(secretXml()));
    putText(machine, "/srv/ephemeral.xml", new TextDecoder().decode(EPHEMERAL));
    putText(machine, "/srv/filter.xml", FILTER);
    putText(machine, "/srv/value", "a value");
    putText(machine, "/srv/vol.xml", "<volume><name>new.raw</name><capacity>4096</capacity></volume>");
    for (const work of works) await work(nodeOn(machine));
    return machine;
  };
}

async function withoutTarget(): Promise<Machine> {
  const machine = await after(define)();
  machine.files.remove(TARGET);
  return machine;
}

async function withVolume(): Promise<Machine> {
  const machine = await after()();
  machine.files.put(`${TARGET}/one.raw`, "file", { bytes: new Uint8Array(4096) });
  for (const work of [define, start]) await work(nodeOn(machine));
  return machine;
}

/** A machine with the active pool `lv`, and its volume one. */
async function withLogical(): Promise<Machine> {
  const { machine, node } = await machineWithGroup();
  await make(node, "one");
  return machine;
}

/** Scenes of the commands that change storage, filters and secrets. */
export const STORAGE_SCENES: Readonly<Record<string, readonly Scene[]>> = {
  "pool-define": [{ prepare: after(), words: ["pool-define", FILE] }],
  "pool-undefine": [{ prepare: after(define), words: ["pool-undefine", "images"] }],
  "pool-start": [
    { prepare: after(define), words: ["pool-start", "images"] },
    { name: "with a build", prepare: withoutTarget, words: ["pool-start", "images", "--build"] },
  ],
  "pool-create": [{ prepare: after(), words: ["pool-create", FILE] }],
  "pool-destroy": [{ prepare: after(define, start), words: ["pool-destroy", "images"] }],
  "pool-autostart": [{ prepare: after(define), words: ["pool-autostart", "images"] }],
  "pool-define-as": [
    {
      prepare: after(),
      words: ["pool-define-as", "images", "dir", "--target", TARGET],
      next: ["pool-list", "--all"],
    },
  ],
  "pool-create-as": [
    {
      prepare: after(),
      words: ["pool-create-as", "images", "dir", "--target", TARGET],
      next: ["pool-list", "--all"],
    },
  ],
  "pool-edit": [
    {
      prepare: async () => {
        const machine = await after(define)();
        machine.edit = (text) => text.replace("/srv/images", "/srv/others");
        return machine;
      },
      words: ["pool-edit", "images"],
    },
  ],
  "pool-build": [{ prepare: withoutTarget, words: ["pool-build", "images"] }],
  "pool-delete": [{ prepare: after(define), words: ["pool-delete", "images"] }],
  "nwfilter-define": [{ prepare: after(), words: ["nwfilter-define", "/srv/filter.xml"] }],
  "nwfilter-undefine": [{ prepare: after(defineFilter), words: ["nwfilter-undefine", "one"] }],
  "nwfilter-edit": [
    {
      prepare: async () => {
        const machine = await after(defineFilter)();
        machine.edit = (text) => text.replace("accept", "drop");
        return machine;
      },
      words: ["nwfilter-edit", "one"],
    },
  ],
  "secret-define": [
    { prepare: after(), words: ["secret-define", "/srv/secret.xml"] },
    {
      name: "from memory to disk",
      prepare: after(defineEphemeral, setValue),
      words: ["secret-define", "/srv/secret.xml"],
    },
    {
      name: "from disk to memory",
      prepare: after(defineOwnSecret, setValue),
      words: ["secret-define", "/srv/ephemeral.xml"],
    },
  ],
  "secret-undefine": [
    { prepare: after(defineOwnSecret), words: ["secret-undefine", SECRET_UUID] },
    {
      name: "with a value",
      prepare: after(defineOwnSecret, setValue),
      words: ["secret-undefine", SECRET_UUID],
    },
  ],
  "secret-set-value": [
    {
      prepare: after(defineOwnSecret),
      words: ["secret-set-value", SECRET_UUID, "--file", "/srv/value", "--plain"],
    },
  ],
  "vol-create": [{ prepare: after(define, start), words: ["vol-create", "images", "/srv/vol.xml"] }],
  "vol-delete": [
    { prepare: withVolume, words: ["vol-delete", "one.raw", "--pool", "images"] },
    { name: "of a logical volume", prepare: withLogical, words: ["vol-delete", "one", "--pool", "lv"] },
  ],
  "vol-clone": [
    { prepare: withVolume, words: ["vol-clone", "one.raw", "two.raw", "--pool", "images"] },
    { name: "of a logical volume", prepare: withLogical, words: ["vol-clone", "one", "two", "--pool", "lv"] },
  ],
  "vol-resize": [{ prepare: withVolume, words: ["vol-resize", "one.raw", "8KiB", "--pool", "images"] }],
  "vol-create-as": [
    {
      prepare: after(define, start),
      words: ["vol-create-as", "images", "new.raw", "1MiB", "--format", "raw"],
    },
    { name: "of a logical volume", prepare: withLogical, words: ["vol-create-as", "lv", "two", "8MiB"] },
  ],
};
