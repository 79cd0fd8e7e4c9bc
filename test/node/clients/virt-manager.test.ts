import { expect } from "bun:test";
import { join } from "node:path";
import { outOf } from "../harness/notes.ts";
import { onANode } from "../harness/on-a-node.ts";
import { onNode } from "../harness/on-the-node.ts";
import { LIFE_MS, makeClient, portOfDropbear, virsh } from "./client.ts";
import { withServer } from "./display.ts";
import {
  expectBack,
  expectConfined,
  expectNothingLeft,
  expectShared,
  type Labels,
  labelsOf,
  POOL,
  REMOVE,
} from "./facts.ts";
import { runWithLooks } from "./looks.ts";

// A life of a guest by the dialogs of virt-manager, which are driven as by a screen reader.

const onTheNode = await onANode();
const client = makeClient(portOfDropbear);
const [NAME, CLONE, MEDIA, BARE] = ["life-manager", "life-manager-clone", "life-media", "life-bare"];
const [DISK, EXTRA, COPY] = [`${POOL}/guest.img`, `${POOL}/extra.img`, `${POOL}/guest-clone.img`];
const OVERLAYS = [`${POOL}/guest.life-snapshot`, `${POOL}/extra.life-snapshot`];
const MEMORY = `${POOL}/${NAME}-mem.life-snapshot`;
const BOOT = [`${POOL}/kernel`, `${POOL}/initrd`];
// virt-manager makes this pool on a node that has none.
const DEFAULT_POOL = "/var/lib/libvirt/images";
const NEW_DISK = `${DEFAULT_POOL}/${MEDIA}.qcow2`;
const SCRIPT = new URL("virt-manager/life.py", import.meta.url).pathname;
// The bus tells its starts of programs on standard error.
const RUN = `exec 3>&2; exec dbus-run-session -- sh -c 'exec python3 -B "$@" 2>&3' sh "$@" 2>/dev/null`;

onTheNode(
  "virt-manager makes stores, installs, changes, clones and deletes: each guest is confined, and all is given back",
  async () => {
    await onNode(`${REMOVE}\nrm -f ${NEW_DISK}`);
    let labels: Labels = new Map();
    const uuids: string[] = [];
    const looks = {
      pool: async () => {
        await virsh(client, "pool-refresh life-pool");
      },
      made: async () => {
        const upload = `vol-upload guest.img ${join(client.folder, "guest")} --pool life-pool`;
        await virsh(client, upload, "net-destroy life-net", "net-start life-net");
        labels = await labelsOf([DISK, EXTRA]);
      },
      running: async () => {
        uuids.push(await virsh(client, `domuuid ${NAME}`));
        await expectConfined(NAME, [DISK]);
      },
      plugged: () => expectConfined(NAME, [DISK, EXTRA]),
      snapshot: async () => {
        await expectConfined(NAME, OVERLAYS);
        await expectShared([DISK, EXTRA]);
        expect((await labelsOf([MEMORY])).get(MEMORY)).not.toMatch(/:(svirt|virt)_\w+:|:c\d/);
      },
      merged: async () => {
        await expectConfined(NAME, [DISK, EXTRA]);
        const notes = await onNode(`note files sh -c 'ls ${POOL} | { grep snapshot || :; }'`);
        expect(outOf(notes, "files")).toBe("");
      },
      off: async () => {
        // virt-manager may be told of the end before the labels are given back.
        await onNode(`wait_for test ! -e /var/lib/svirt/records/${uuids[0]}.json`);
        await expectBack(labels);
      },
      cloned: async () => {
        uuids.push(await virsh(client, `domuuid ${CLONE}`));
        const copied = await labelsOf([COPY]);
        await virsh(client, `start ${CLONE}`);
        await expectConfined(CLONE, [COPY]);
        await virsh(client, `destroy ${CLONE}`);
        await expectBack(copied);
      },
      installed: async () => {
        uuids.push(await virsh(client, `domuuid ${MEDIA}`));
        await expectConfined(MEDIA, [NEW_DISK]);
        await expectShared([EXTRA]);
        expect(await virsh(client, `domblklist ${MEDIA}`)).toMatch(new RegExp(`^ sda +${EXTRA}$`, "m"));
      },
      ejected: async () => {
        await expectBack(new Map([[EXTRA, labels.get(EXTRA) ?? ""]]));
        expect(await virsh(client, `domblklist ${MEDIA}`)).toMatch(/^ sda +-$/m);
        const commands = ["kernel", "initrd"].flatMap((name) => [
          `vol-create-as life-pool ${name} 1536 --format raw`,
          `vol-upload ${name} ${join(client.folder, "kernel")} --pool life-pool`,
        ]);
        await virsh(client, ...commands);
        labels = await labelsOf(BOOT);
      },
      booted: async () => {
        uuids.push(await virsh(client, `domuuid ${BARE}`));
        await expectConfined(BARE);
        await expectShared(BOOT);
        expect(await virsh(client, `dumpxml ${BARE}`)).toContain("<cmdline>life=1</cmdline>");
      },
      released: async () => {
        await expectBack(labels);
        await virsh(client, ...BOOT.map((path) => `vol-delete ${path}`));
      },
    };
    await withServer(client, async ({ display }) => {
      const env = { ...client.env, DISPLAY: display, GDK_BACKEND: "x11" };
      await runWithLooks({ ...client, env }, ["sh", "-c", RUN, "sh", SCRIPT, client.uri, POOL], looks);
    });
    await virsh(client, "pool-destroy default", "pool-undefine default");
    await onNode(`rmdir ${DEFAULT_POOL} ${POOL} || :`);
    await expectNothingLeft(uuids);
  },
  { timeoutMs: LIFE_MS },
);
