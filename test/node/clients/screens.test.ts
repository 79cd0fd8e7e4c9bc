import { join } from "node:path";
import { uuidOf } from "../harness/names.ts";
import { onANode } from "../harness/on-a-node.ts";
import { onNode } from "../harness/on-the-node.ts";
import { LIFE_MS, makeClient, portOfDropbear, virsh } from "./client.ts";
import { type Shown, withDisplay } from "./display.ts";
import { expectBack, expectConfined, expectNothingLeft, labelsOf, POOL, REMOVE } from "./facts.ts";
import { makeNetwork, makePool, removeStores, writeGuest } from "./stores.ts";

// virt-viewer and virt-manager show the screen of a guest, which it paints blue, through SSH.

const onTheNode = await onANode();
const client = makeClient(portOfDropbear);
const NAME = "life-screen";
/** Pixels of a text screen: 720 x 400. */
const GUEST_PIXELS = 288_000;
const MANAGER = ["dbus-run-session", "--", "virt-manager", "--no-fork", "-c", client.uri];

/**
 * Runs `work` with a running guest, which is confined while its screen is shown, and whose disk's label is
 * given back.
 */
async function withGuest(work: () => Promise<void>): Promise<void> {
  const disk = `${POOL}/guest.img`;
  await onNode(REMOVE);
  await makePool(client, { "guest.img": "guest" });
  await makeNetwork(client);
  const labels = await labelsOf([disk]);
  await virsh(client, `define ${writeGuest(client, NAME)}`, `start ${NAME}`);
  await work();
  await expectConfined(NAME, [disk]);
  await virsh(client, `destroy ${NAME}`);
  await expectBack(labels);
  await virsh(client, `undefine ${NAME} --remove-all-storage`);
  await removeStores(client, []);
  // virt-manager makes it on a node that has none.
  await virsh(client, "pool-destroy default", "pool-undefine default");
  await onNode("rmdir /var/lib/libvirt/images || :");
  await expectNothingLeft([uuidOf(NAME)]);
}

/** Folder for screenshots, if they are asked for: scripts/screenshots. */
const SHOTS = process.env["SVIRT_SCREENSHOTS"];

async function keep(shown: Shown, name: string): Promise<void> {
  if (SHOTS === undefined) return;
  await shown.waitForRest();
  shown.write(join(SHOTS, `${name}.png`));
}

onTheNode(
  "virt-viewer and virt-manager show the screen of a confined guest",
  () =>
    withGuest(async () => {
      await withDisplay(client, ["virt-viewer", "-c", client.uri, NAME], async (shown) => {
        await shown.waitForGuest(GUEST_PIXELS * 0.9);
      });
      await withDisplay(client, [...MANAGER, "--show-domain-console", NAME], async (shown) => {
        await shown.waitForGuest(GUEST_PIXELS * 0.5);
        await keep(shown, "virt-manager-guest");
      });
      if (SHOTS !== undefined)
        await withDisplay(client, MANAGER, (shown) => keep(shown, "virt-manager-list"));
    }),
  { timeoutMs: LIFE_MS },
);
