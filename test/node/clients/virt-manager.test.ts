import { join } from "node:path";
import { onANode } from "../harness/on-a-node.ts";
import { onNode } from "../harness/on-the-node.ts";
import { LIFE_MS, makeClient, portOfDropbear, virsh } from "./client.ts";
import { withServer } from "./display.ts";
import {
  expectBack,
  expectConfined,
  expectNothingLeft,
  type Labels,
  labelsOf,
  POOL,
  REMOVE,
} from "./facts.ts";
import { runWithLooks } from "./looks.ts";

// A life of a guest by the dialogs of virt-manager, which are driven as by a screen reader.

const onTheNode = await onANode();
const client = makeClient(portOfDropbear);
const [NAME, CLONE] = ["life-manager", "life-manager-clone"];
const [DISK, EXTRA, COPY] = ["guest.img", "extra.img", "guest-clone.img"].map((name) => join(POOL, name)) as [
  string,
  string,
  string,
];
const SCRIPT = new URL("virt-manager/life.py", import.meta.url).pathname;
// The bus tells its starts of programs on standard error.
const RUN = `exec 3>&2; exec dbus-run-session -- sh -c 'exec python3 -B "$@" 2>&3' sh "$@" 2>/dev/null`;

onTheNode(
  "virt-manager makes stores, installs, changes, clones and deletes: the guest is confined, and all is given back",
  async () => {
    await onNode(REMOVE);
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
    };
    await withServer(client, async ({ display }) => {
      const env = { ...client.env, DISPLAY: display, GDK_BACKEND: "x11" };
      await runWithLooks({ ...client, env }, ["sh", "-c", RUN, "sh", SCRIPT, client.uri, POOL], looks);
    });
    // virt-manager makes it on a node that has none.
    await virsh(client, "pool-destroy default", "pool-undefine default");
    await onNode(`rmdir /var/lib/libvirt/images ${POOL} || :`);
    await expectNothingLeft(uuids);
  },
  { timeoutMs: LIFE_MS },
);
